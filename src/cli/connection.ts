/** The options by which commands reach a live cluster, and their twins in the environment. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { readContext } from "../connect/context.ts";
import { forwardPort } from "../connect/kubectl.ts";
import type { Target } from "../connect/nats.ts";
import { NATS, PORTS, serviceHost } from "../kubernetes/names.ts";
import type { Environment } from "../model/environment.ts";
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
  readonly context?: string;
  readonly kubectl?: string;
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
  ["--context <name>", "a context of the nats command"],
  ["--kubectl <context>", "forward the Service's port by kubectl"],
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

const SERVERS = ["server", "tls-ca", "tls-cert", "tls-key", "context", "timeout"];

/** Only those that say where servers are; whoever logs in is another matter. */
export function withServers(command: Command, what: string): Command {
  for (const option of withConnection(new Command()).options.filter(({ long }) =>
    SERVERS.includes(long?.slice(2) ?? ""),
  )) {
    if (option.long === "--server") option.description = what;
    command.addOption(option);
  }
  return command;
}

/** @throws UsageError as `reach` does */
export const serversOf = (options: ConnectionOptions): Pick<Target, "servers" | "tls" | "timeout"> => targetOf(options);

/**
 * Where and as whom; options win over a context's settings. Over --kubectl the certificate must name the Service.
 * @throws UsageError for files that are not what they should be, and options that do not go together
 * @throws ConnectionFailure where kubectl cannot forward
 */
export async function reach(options: ConnectionOptions, environment?: Environment): Promise<Reached> {
  const target = targetOf(options);
  const { credentialProblems } = await import("../connect/credentials.ts");
  const problems = credentialProblems(target);
  if (problems.length > 0) throw new UsageError(problems.join("; "));
  if (options.kubectl === undefined) return { target, [Symbol.asyncDispose]: async () => {} };
  if (!environment) throw new UsageError("--kubectl needs an environment that says where the Service is");
  const forward = await forwardPort({
    context: options.kubectl,
    namespace: environment.kubernetes.namespace,
    service: NATS.clientService,
    port: PORTS.natsClient,
  });
  return {
    target: {
      ...target,
      servers: [`127.0.0.1:${forward.port}`],
      // Without --tls-ca it is the system's authorities that must have certified the Service's name: never that of 127.0.0.1.
      ...(target.tls || environment.nats.tls
        ? { tls: target.tls ?? {}, tlsName: serviceHost(NATS.clientService, environment) }
        : {}),
    },
    [Symbol.asyncDispose]: () => forward[Symbol.asyncDispose](),
  };
}

interface Reached extends AsyncDisposable {
  readonly target: Target;
}

function targetOf(options: ConnectionOptions): Target {
  const { server, user, nkey, creds, tlsCa, tlsCert, tlsKey, inboxPrefix, context, kubectl } = options;
  const inContext = context ? contextTarget(context) : { servers: [] };
  // Half of one identity and half of another logs in as whichever the server looks at first.
  const base = user || nkey || creds || options.tokenFile ? withoutIdentity(inContext) : inContext;
  const servers = server ? server.split(",").map((url) => url.trim()) : base.servers;
  if (servers.length === 0 && kubectl === undefined) {
    throw new UsageError("where? Give --server, --context or --kubectl, for example --server nats://127.0.0.1:4222");
  }
  const timeout = Number(options.timeout);
  if (!(timeout > 0)) throw new UsageError(`--timeout is "${options.timeout}", expected milliseconds`);
  if (Boolean(tlsCert) !== Boolean(tlsKey)) throw new UsageError("--tls-cert and --tls-key go together");
  for (const url of servers) {
    // It would be printed with every error, and stand in the list of processes.
    if (url.includes("@"))
      throw new UsageError("--server holds a user: give --user and --password-file, not a URL with a password");
  }
  const password = secretIn(options.passwordFile) ?? (process.env.CIRCL_PASSWORD || undefined);
  const token = secretIn(options.tokenFile);
  const tls = {
    ...base.tls,
    ...(tlsCa ? { ca: tlsCa } : {}),
    ...(tlsCert && tlsKey ? { cert: tlsCert, key: tlsKey } : {}),
  };
  const target = {
    ...base,
    servers,
    timeout,
    ...(user ? { user } : {}),
    ...(password ? { password } : {}),
    ...(token ? { token } : {}),
    ...(nkey ? { nkeyFile: nkey } : {}),
    ...(creds ? { credsFile: creds } : {}),
    ...(inboxPrefix ? { inboxPrefix } : {}),
    ...(Object.keys(tls).length > 0 ? { tls } : {}),
  };
  return target;
}

/** Whoever is named by an option is not whom the context names, nor that one with another password. */
function withoutIdentity(target: Omit<Target, "timeout">): Omit<Target, "timeout"> {
  const { user: _user, password: _password, token: _token, nkeyFile: _nkey, credsFile: _creds, ...rest } = target;
  return rest;
}

function contextTarget(name: string): Omit<Target, "timeout"> {
  const folder = join(process.env.XDG_CONFIG_HOME ?? join(homedir(), ".config"), "nats", "context");
  const file = join(folder, `${name}.json`);
  if (!existsSync(file)) {
    const known = existsSync(folder) ? readdirSync(folder).map((entry) => entry.replace(/\.json$/, "")) : [];
    throw new UsageError(
      `there is no context "${name}" in ${folder}${known.length > 0 ? `. There are: ${known.join(", ")}` : ""}`,
    );
  }
  try {
    return readContext(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new UsageError(`${file} is no context of the nats command`, { cause });
  }
}

function secretIn(file: string | undefined): string | undefined {
  if (!file) return undefined;
  try {
    return readFileSync(file, "utf8").trim();
  } catch (cause) {
    throw new UsageError(`${file} cannot be read`, { cause });
  }
}
