/** Whether a server knows a credential: asked of that server alone. */
import { connect, nkeyAuthenticator } from "nats";
import type { ClientHalf } from "../identity/credential.ts";
import type { LoginDocument } from "../identity/documents.ts";
import { ConnectionFailure } from "../jetstream/api.ts";
import { explainFailure } from "./failure.ts";
import { connectionOptions, type Target } from "./nats.ts";

/** A server, without anything to log in with. */
export interface ServerTarget extends Pick<Target, "tls" | "tlsName" | "timeout"> {
  readonly server: string;
  /** Text of the authority's certificate, in place of `tls.ca`. */
  readonly authority?: string;
}

/**
 * Logs in and out.
 * @returns false where the server refuses the credential
 * @throws ConnectionFailure where it cannot be asked
 */
export async function accepts({ server, authority, ...target }: ServerTarget, client: ClientHalf): Promise<boolean> {
  const login =
    "seed" in client && client.seed !== ""
      ? { authenticator: nkeyAuthenticator(new TextEncoder().encode(client.seed)) }
      : { user: (client as LoginDocument).user, pass: (client as LoginDocument).password };
  try {
    // What it says of its peers is not to be followed: another one may know more.
    const options = { ...connectionOptions({ ...target, servers: [server] }), reconnect: false };
    const tls = authority ? { tls: { ...options.tls, ca: authority } } : {};
    const connection = await connect({ ...options, ...tls, ignoreClusterUpdates: true, ...login });
    await connection.close();
    return true;
  } catch (error) {
    if (["AUTHORIZATION_VIOLATION", "BAD_AUTHENTICATION"].includes((error as { code?: string }).code ?? ""))
      return false;
    const explained = explainFailure(error, "connecting", server);
    throw explained instanceof ConnectionFailure
      ? explained
      : new ConnectionFailure(`${server}: ${explained.message}. Is it up?`, { cause: error });
  }
}
