/** A TLS handshake as a NATS client does it: the server speaks first, then the connection is upgraded. */
import { once } from "node:events";
import { type AddressInfo, connect as dial } from "node:net";
import { type ConnectionOptions, createServer, type TlsOptions, connect as upgrade } from "node:tls";

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

/** What Node's own TLS has against the server. */
export async function handshakeError(port: number, options: ConnectionOptions): Promise<unknown> {
  const socket = dial(port, "127.0.0.1");
  try {
    await once(socket, "data");
    const secured = upgrade({ socket, servername: "localhost", ...options });
    return await new Promise((done) => secured.once("secureConnect", () => done(undefined)).once("error", done));
  } finally {
    socket.on("error", () => {});
    socket.destroy();
  }
}

/**
 * Logs in without TLS, whatever the server asks for.
 * @returns whether it demands TLS, and what it said afterwards until it hung up
 */
export async function inClear(port: number, { user, pass }: { user: string; pass: string }) {
  const socket = dial(port, "127.0.0.1");
  socket.on("error", () => {});
  const [info] = await once(socket, "data");
  let answered = "";
  socket.on("data", (chunk) => {
    answered += chunk;
  });
  socket.write(`CONNECT ${JSON.stringify({ user, pass, verbose: false })}\r\nPING\r\n`);
  await once(socket, "close");
  return { demanded: String(info).includes('"tls_required":true'), answered };
}

/** Comes as a server of the cluster, without TLS. @returns what was said until the other end hung up */
export async function routeInClear(port: number): Promise<string> {
  const socket = dial(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  let answered = "";
  socket.on("data", (chunk) => {
    answered += chunk;
  });
  socket.write(`INFO ${JSON.stringify({ server_id: "N", server_name: "n", cluster: "c", proto: 1 })}\r\n`);
  socket.write(`CONNECT ${JSON.stringify({ verbose: false, tls_required: false, cluster: "c" })}\r\nPING\r\n`);
  await once(socket, "close");
  return answered;
}

/** Something else that speaks TLS, from the first byte on as a route does: to see that a client can. */
export async function tlsServer(options: TlsOptions): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer(options, (socket) => socket.on("error", () => {}));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}
