/** The options by which commands reach a live cluster, and their twins in the environment. */
import { existsSync, readFileSync } from "node:fs";
import { type Command, Option } from "commander";
import type { Target } from "../connect/nats.ts";
import { UsageError } from "./failures.ts";

export interface ConnectionOptions {
  readonly server?: string;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly nkey?: string;
  readonly creds?: string;
  readonly tokenFile?: string;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly inboxPrefix?: string;
  readonly timeout: string;
}

const OPTIONS = [
  ["--server <urls>", "where, several separated by commas"],
  ["--user <name>", "with CIRCL_PASSWORD or --password-file"],
  ["--password-file <file>", "the password of --user"],
  ["--nkey <file>", "seed of an NKey user"],
  ["--creds <file>", "credentials of a JWT user"],
  ["--token-file <file>", "a token"],
  ["--tls-ca <file>", "authority of the servers' certificates"],
  ["--tls-cert <file>", "own certificate, with --tls-key"],
  ["--tls-key <file>", "own key"],
  ["--inbox-prefix <prefix>", "where replies go (default: _INBOX)"],
] as const;

/** Adds the options to a command; `CIRCL_SERVER` and so on stand in for what is not given. */
export function withConnection(command: Command): Command {
  for (const [flags, description] of OPTIONS) {
    const option = new Option(flags, description);
    command.addOption(option.env(`CIRCL_${option.name().toUpperCase().replaceAll("-", "_")}`));
  }
  return command.addOption(
    new Option("--timeout <ms>", "for the connection and each request").default("5000").env("CIRCL_TIMEOUT"),
  );
}

/** @throws UsageError for files that do not exist and options that do not go together */
export function targetOf(options: ConnectionOptions): Target {
  const { server, user, nkey, creds, tlsCa, tlsCert, tlsKey, inboxPrefix } = options;
  if (!server) throw new UsageError("where? Give --server or set CIRCL_SERVER, for example nats://127.0.0.1:4222");
  const timeout = Number(options.timeout);
  if (!(timeout > 0)) throw new UsageError(`--timeout is "${options.timeout}", expected milliseconds`);
  if (Boolean(tlsCert) !== Boolean(tlsKey)) throw new UsageError("--tls-cert and --tls-key go together");
  for (const file of [nkey, creds, tlsCa, tlsCert, tlsKey]) {
    if (file && !existsSync(file)) throw new UsageError(`there is no file ${file}`);
  }
  const password = process.env.CIRCL_PASSWORD ?? secretIn(options.passwordFile);
  const token = secretIn(options.tokenFile);
  const tls = { ...(tlsCa ? { ca: tlsCa } : {}), ...(tlsCert && tlsKey ? { cert: tlsCert, key: tlsKey } : {}) };
  return {
    servers: server.split(",").map((url) => url.trim()),
    timeout,
    ...(user ? { user } : {}),
    ...(password ? { password } : {}),
    ...(token ? { token } : {}),
    ...(nkey ? { nkeyFile: nkey } : {}),
    ...(creds ? { credsFile: creds } : {}),
    ...(inboxPrefix ? { inboxPrefix } : {}),
    ...(Object.keys(tls).length > 0 ? { tls } : {}),
  };
}

function secretIn(file: string | undefined): string | undefined {
  if (!file) return undefined;
  if (!existsSync(file)) throw new UsageError(`there is no file ${file}`);
  return readFileSync(file, "utf8").trim();
}
