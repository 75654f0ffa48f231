/** Real nats-servers on loopback, running the very nats.conf that goes into dist. */
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ConnectionOptions, connect, type NatsConnection } from "nats";
import type { Target } from "../../src/connect/nats.ts";
import type { EncryptionDocument } from "../../src/identity/documents.ts";
import { CA_ISSUER, NATS, ROUTE_CA_ISSUER } from "../../src/kubernetes/names.ts";
import type { Model } from "../../src/model/resolve.ts";
import { encryptionScript } from "../../src/nats/encryption-script.ts";
import { renderServerConfig, routeHosts } from "../../src/nats/server-config.ts";
import { freePorts } from "../../src/proof/ports.ts";
import { ofKind } from "../../src/rules/manifests/manifest.ts";
import { objectsOf } from "./manifests.ts";
import { tool } from "./tools.ts";

/** Stands in for the auth document of the secret store; the password opens servers of this test and nothing else. */
const AUTH = `accounts {
  SYS { users: [ { user: "sys", password: "loopback-only" } ] }
  CIRCL { jetstream: enabled, users: [ { user: "sync", password: "loopback-only" } ] }
}
SYSTEM_ACCOUNT: SYS
`;

const KEYS: EncryptionDocument = { current: "loopback".repeat(5), previous: "" };

export interface RunningServer {
  readonly process: ChildProcess;
  readonly root: string;
  readonly clientPort: number;
  readonly monitorPort: number;
  readonly log: () => string;
}

export interface ClusterOptions {
  /** How many of the environment's servers are started. @default all */
  readonly count?: number;
  /** @default the pinned nats-server */
  readonly binary?: string;
  /** The auth file. @default one user named sync */
  readonly auth?: string;
  /** Whether requests with fields that the server does not know are refused; not is what servers before 2.12 do. @default true */
  readonly strict?: boolean;
  /** Whether clients may dial 127.0.0.1 by that name. @default true; routes always may */
  readonly certifyLoopback?: boolean;
  /** Certificates of the clients' authority beside those of dist, by folder below `tls`. */
  readonly certificates?: Readonly<Record<string, CertificateRequest>>;
  /** The same of the routes' authority. */
  readonly routeCertificates?: Readonly<Record<string, CertificateRequest>>;
}

export interface CertificateRequest {
  readonly dnsNames: readonly string[];
  readonly usages: readonly string[];
}

/** Servers of one environment, stopped and removed by disposal. */
export class Cluster implements AsyncDisposable {
  readonly servers: RunningServer[] = [];
  /** Holds `tls` and a folder for each server. */
  readonly root = mkdtempSync(join(tmpdir(), "circl-nats-"));
  /** The encryption key as the Secret mounted now has it; a server takes it when it starts. */
  keys = KEYS;
  /** What the next server that starts is rendered from. */
  model: Model;
  #binary: string;
  readonly #auth: string;
  readonly #strict: boolean;
  #routePorts: number[] = [];

  constructor(model: Model, binary: string, auth: string, strict: boolean) {
    this.#strict = strict;
    this.model = model;
    this.#binary = binary;
    this.#auth = auth;
  }

  /** Starts servers; routes of those that are not started stay unanswered. */
  static async start(model: Model, options: ClusterOptions = {}): Promise<Cluster> {
    const {
      count = model.environment.nats.servers,
      binary = tool("nats-server"),
      auth = AUTH,
      certifyLoopback = true,
      strict = true,
      certificates = {},
      routeCertificates = {},
    } = options;
    const cluster = new Cluster(model, binary, auth, strict);
    try {
      cluster.#routePorts = await freePorts(model.environment.nats.servers);
      if (model.environment.nats.tls) {
        await cluster.#issueCertificates(certifyLoopback, {
          [CA_ISSUER]: certificates,
          [ROUTE_CA_ISSUER]: routeCertificates,
        });
      }
      for (let i = 0; i < count; i++) cluster.servers.push(await cluster.#startServer(i));
      if (count === model.environment.nats.servers) await Promise.all(cluster.servers.map(metaReady));
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Connects as the only user of the account, or with what else is given; `{}` is nobody. */
  async connect(credentials: ConnectionOptions = { user: "sync", pass: "loopback-only" }): Promise<NatsConnection> {
    const { tls } = this.model.environment.nats;
    return connect({
      servers: this.servers.map(({ clientPort }) => `127.0.0.1:${clientPort}`),
      maxReconnectAttempts: 0,
      timeout: 5_000,
      ...credentials,
      ...(tls ? { tls: { ca: readFileSync(join(this.root, "tls/nats-server-tls/ca.crt"), "utf8") } } : {}),
    });
  }

  /** How our own connections reach it. */
  target(): Target {
    const { tls } = this.model.environment.nats;
    return {
      servers: this.servers.map(({ clientPort }) => `127.0.0.1:${clientPort}`),
      user: "sync",
      password: "loopback-only",
      ...(tls ? { tls: { ca: join(this.root, "tls/nats-server-tls/ca.crt") } } : {}),
      timeout: 5_000,
    };
  }

  /** Of the first server, with the user that may do everything in the account. */
  url(): string {
    return `nats://sync:loopback-only@127.0.0.1:${this.servers[0]?.clientPort}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.servers.map(({ process }) => stop(process)));
    rmSync(this.root, { recursive: true, force: true });
  }

  /** Certificates as dist asks for them, and for the names that loopback has. */
  async #issueCertificates(
    certifyLoopback: boolean,
    others: Readonly<Record<string, ClusterOptions["certificates"]>>,
  ): Promise<void> {
    const certificates = ofKind(objectsOf(this.model), "Certificate");
    for (const [issuer, more] of Object.entries(others)) {
      const requested = certificates
        .filter(({ spec }) => spec.issuerRef.name === issuer)
        .map(({ spec }) => [
          spec.secretName,
          {
            dnsNames: [
              ...(spec.dnsNames ?? []),
              ...(certifyLoopback || spec.secretName === NATS.routeCertificate ? ["localhost", "127.0.0.1"] : []),
            ],
            usages: spec.usages,
          },
        ]);
      await issueCertificates(join(this.root, "tls"), { ...Object.fromEntries(requested), ...more });
    }
  }

  /** Where a server listens for its peers. */
  routePort(i: number): number {
    return this.#routePorts[i] ?? 0;
  }

  /**
   * Stops a server and starts it on the same ports.
   * @param empty whether it has lost its volume
   * @param meanwhile what is waited for before it starts again
   * @param binary another version of the server, from now on
   */
  async restart(
    i: number,
    {
      empty = false,
      meanwhile = async () => {},
      binary = this.#binary,
    }: { empty?: boolean; meanwhile?: () => Promise<void>; binary?: string } = {},
  ): Promise<RunningServer> {
    const before = this.servers[i];
    if (!before) throw new Error(`there is no server ${i}`);
    await stop(before.process);
    await meanwhile();
    this.#binary = binary;
    if (empty) rmSync(join(before.root, "data"), { recursive: true, force: true });
    const after = await this.#startServer(i, before.clientPort);
    this.servers[i] = after;
    return after;
  }

  async #startServer(i: number, clientPort = -1): Promise<RunningServer> {
    const root = join(this.root, `server-${i}`);
    rmSync(join(root, "ports"), { recursive: true, force: true });
    for (const folder of ["etc/nats-config", "etc/nats-auth", "data", "run", "ports"]) {
      mkdirSync(join(root, folder), { recursive: true });
    }
    this.chooseKey(root);
    // What a test has put there since stays.
    const auth = join(root, "etc/nats-auth/auth.conf");
    if (!existsSync(auth)) writeFileSync(auth, this.#auth);
    const config = join(root, "etc/nats-config/nats.conf");
    writeFileSync(config, this.#onLoopback(root, i, clientPort));
    const child = spawn(this.#binary, ["--config", config, "--ports_file_dir", join(root, "ports")], {
      env: { ...process.env, SERVER_NAME: `circl-${this.model.environment.name}-nats-${i}` },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let text = "";
    child.stderr.on("data", (chunk) => {
      text += chunk;
    });
    const { nats = [], monitoring = [] } = await portsOf(child, join(root, "ports"), () => text);
    const port = (urls: readonly string[]) => Number(new URL(urls[0] ?? "").port);
    return { process: child, root, clientPort: port(nats), monitorPort: port(monitoring), log: () => text };
  }

  /** As the init container does. @throws with what it says where it refuses */
  chooseKey(root: string): void {
    const { encryption } = this.model.environment.nats;
    for (const folder of ["etc/nats-encryption", "etc/nats-key"]) mkdirSync(join(root, folder), { recursive: true });
    for (const [name, key] of Object.entries(this.keys)) writeFileSync(join(root, "etc/nats-encryption", name), key);
    const script = join(root, "etc/nats-config/encryption.sh");
    writeFileSync(script, encryptionScript);
    const paths = ["etc/nats-encryption", "data", "etc/nats-key/key.conf"].map((path) => join(root, path));
    execFileSync("sh", [script, encryption, ...paths], { encoding: "utf8", stdio: ["ignore", "ignore", "pipe"] });
  }

  /** The rendered configuration with its paths below `root` and its ports on loopback; nothing else is touched. */
  #onLoopback(root: string, i: number, clientPort: number): string {
    const replacements: readonly (readonly [string, string])[] = [
      ["port: 4222", `listen: "127.0.0.1:${clientPort}"`],
      ["http_port: 8222", 'http: "127.0.0.1:-1"'],
      ["port: 6222", `listen: "127.0.0.1:${this.#routePorts[i]}"`],
      ...(this.#strict ? [] : [["jetstream {", "jetstream {\n  strict: false"] as const]),
      ['"/data"', JSON.stringify(join(root, "data"))],
      ['"/var/run/nats/', `"${join(root, "run")}/`],
      ['"/etc/nats-tls/server/', `"${join(this.root, "tls/nats-server-tls")}/`],
      ['"/etc/nats-tls/route/', `"${join(this.root, "tls/nats-route-tls")}/`],
      ...routeHosts(this.model).map((host, peer) => [`${host}:6222`, `127.0.0.1:${this.#routePorts[peer]}`] as const),
    ];
    return replacements.reduce((text, [from, to]) => text.replaceAll(from, to), renderServerConfig(this.model));
  }
}

/** Writes `tls.crt`, `tls.key` and `ca.crt` into a folder for each request, all of one new authority. */
export async function issueCertificates(
  folder: string,
  requests: Readonly<Record<string, CertificateRequest>>,
): Promise<void> {
  const made = execFile(tool("test-ca"), [folder]);
  made.stdin?.end(JSON.stringify(requests));
  const [code] = await once(made, "exit");
  if (code !== 0) throw new Error(`test-ca exited with ${code}`);
}

/** The server writes its ports once it listens. @throws with its log if it ends first */
async function portsOf(child: ChildProcess, folder: string, log: () => string): Promise<Record<string, string[]>> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (child.exitCode !== null) throw new Error(`nats-server exited with ${child.exitCode}:\n${log()}`);
    const [file] = readdirSync(folder);
    // The file is there before its content is.
    const content = file ? readFileSync(join(folder, file), "utf8") : "";
    if (content.endsWith("}") && log().includes("Server is ready")) return JSON.parse(content);
    await sleep(50);
  }
  throw new Error(`nats-server does not get ready:\n${log()}`);
}

/** Without a meta leader the servers drop JetStream requests unanswered. @throws with the log after 30 s */
export async function metaReady({ monitorPort, log }: RunningServer): Promise<void> {
  for (let attempt = 0; attempt < 150; attempt++) {
    const { status } = await fetch(`http://127.0.0.1:${monitorPort}/healthz?js-meta-only=true`);
    if (status === 200) return;
    await sleep(200);
  }
  throw new Error(`no meta leader:\n${log()}`);
}

/** Ends a process that this test started: asks first, kills after five seconds. */
export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await ended;
  clearTimeout(timer);
}
