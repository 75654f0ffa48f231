/** Connects as docs/security.md tells services to: with what lies in the folder of their Secret, and nothing set beyond that. */
import { readFileSync } from "node:fs";
import { connect, type NatsConnection, nkeyAuthenticator } from "nats";

/** @param secret folder with `nats.json`, `nats.nk` and `ca.crt` */
export function connectWith(secret: string): Promise<NatsConnection> {
  const settings = JSON.parse(readFileSync(`${secret}/nats.json`, "utf8"));
  return connect({
    servers: settings.servers,
    name: settings.name,
    inboxPrefix: settings.inboxPrefix,
    authenticator: nkeyAuthenticator(() => readFileSync(`${secret}/nats.nk`)),
    tls: { caFile: `${secret}/ca.crt` },
    maxReconnectAttempts: -1,
  });
}
