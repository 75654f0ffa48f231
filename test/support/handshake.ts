/** A TLS handshake as a NATS client does it: the server speaks first, then the connection is upgraded. */
import { once } from "node:events";
import { connect as dial } from "node:net";
import { type ConnectionOptions, connect as upgrade } from "node:tls";

export interface Handshake {
  /** "TLSv1.3", or undefined where it failed. */
  readonly protocol?: string;
  /** Of the server's certificate. */
  readonly fingerprint?: string;
  readonly error?: string;
}

/** @param ends what listens there: a route waits for TLS and says nothing before */
export async function handshake(
  port: number,
  options: ConnectionOptions,
  ends: "client" | "route" = "client",
): Promise<Handshake> {
  const socket = dial(port, options.host ?? "127.0.0.1");
  try {
    await once(socket, ends === "client" ? "data" : "connect");
    const secured = upgrade({ socket, servername: "localhost", ...options });
    const error = await new Promise<string | undefined>((done) => {
      secured.once("secureConnect", () => done(undefined));
      secured.on("error", (failed) => done(String(failed)));
      socket.once("close", () => done("closed"));
    });
    if (error !== undefined) return { error };
    return { protocol: secured.getProtocol() ?? "", fingerprint: secured.getPeerCertificate().fingerprint256 };
  } finally {
    socket.on("error", () => {});
    socket.destroy();
  }
}
