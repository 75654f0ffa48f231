/** Real Tile38 servers on loopback: the very commands, scripts and documents of dist, with paths and ports of this machine. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Model } from "../../src/model/resolve.ts";
import { freePorts } from "../../src/proof/ports.ts";
import { followerConfig, leaderConfig, type Tile38Config } from "../../src/tile38/server-config.ts";
import { objectOf, objectsOf } from "./manifests.ts";
import { stop } from "./nats-server.ts";
import { tool } from "./tools.ts";

/** Opens servers of this test and nothing else. */
export const PASSWORD = "loopback-only!";

/** What the scripts may use: all of it is in the alpine image. */
const APPLETS = "sh cat chmod date grep head mv nc printf rm sed sleep tail timeout tr wc".split(" ");

/** What a finished script left. */
export interface Ended {
  readonly code: number | null;
  readonly said: string;
}

/** A folder with the scripts of dist and with busybox's tools and nothing else, removed by disposal. */
export class Sandbox implements AsyncDisposable {
  readonly root: string = mkdtempSync(join(tmpdir(), "circl-tile38-"));
  readonly #running: Tile38Server[] = [];
  readonly #objects;
  readonly model: Model;

  constructor(model: Model) {
    this.model = model;
    this.#objects = objectsOf(model);
    for (const folder of ["bin", "scripts"]) mkdirSync(join(this.root, folder));
    for (const name of APPLETS) symlinkSync(tool("busybox"), join(this.root, "bin", name));
    const scripts = objectOf(this.#objects, "ConfigMap", "tile38-scripts").data ?? {};
    for (const [name, text] of Object.entries(scripts)) writeFileSync(join(this.root, "scripts", name), text as string);
  }

  /** Runs one of the scripts to its end. */
  async run(script: "prepare.sh" | "shrink.sh", ...args: readonly string[]): Promise<Ended> {
    const child = this.#spawn(["sh", join(this.root, "scripts", script), ...args], {});
    let said = "";
    child.stdout?.on("data", (chunk) => {
      said += chunk;
    });
    child.stderr?.on("data", (chunk) => {
      said += chunk;
    });
    const [code] = await once(child, "close");
    return { code, said };
  }

  /** Starts a server in `folder`, as its container does. With the same folder again, that is a restart in the same pod. */
  async start(
    role: "leader" | "follower",
    folder: string,
    leaderPort = 0,
    document = JSON.stringify(this.#document(role, leaderPort)),
  ): Promise<Tile38Server> {
    const root = join(this.root, folder);
    for (const name of ["document", "run", "data"]) mkdirSync(join(root, name), { recursive: true });
    writeFileSync(join(root, "document/config"), document);
    const [port = 0, metricsPort = 0] = await freePorts(2);
    const set = objectOf(this.#objects, "StatefulSet", `tile38-${role}`);
    const { command, args, env } = set.spec.template.spec.containers[0];
    const here: readonly (readonly [RegExp, string])[] = [
      [/^\/etc\/tile38-scripts\//, `${this.root}/scripts/`],
      [/^\/etc\/tile38\//, `${root}/document/`],
      [/^\/run\/tile38/, `${root}/run`],
      [/^\/data\//, `${root}/data/`],
      [/^9851$/, String(port)],
      [/^:4321$/, `127.0.0.1:${metricsPort}`],
      [/^tile38-server$/, tool("tile38-server")],
    ];
    const moved = [...command, ...args].map((word: string) =>
      here.reduce((text, [from, to]) => text.replace(from, to), word),
    );
    const child = this.#spawn(
      [...moved, "-h", "127.0.0.1"],
      Object.fromEntries(env.map(({ name, value }: { name: string; value: string }) => [name, value])),
    );
    const server = new Tile38Server(child, root, port, metricsPort);
    this.#running.push(server);
    await server.until("/ping");
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#running.map(({ process }) => stop(process)));
    rmSync(this.root, { recursive: true, force: true });
  }

  #document(role: "leader" | "follower", leaderPort: number): Tile38Config {
    if (role === "leader") return leaderConfig(this.model, PASSWORD);
    return { ...followerConfig(this.model, PASSWORD), follow_host: "127.0.0.1", follow_port: leaderPort };
  }

  #spawn([program = "", ...args]: readonly string[], env: Record<string, string>): ChildProcess {
    const bin = join(this.root, "bin");
    return spawn(join(bin, program), args, { env: { PATH: bin, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  }
}

export class Tile38Server {
  readonly process: ChildProcess;
  readonly root: string;
  readonly port: number;
  readonly metricsPort: number;
  log = "";

  constructor(process: ChildProcess, root: string, port: number, metricsPort: number) {
    this.process = process;
    this.root = root;
    this.port = port;
    this.metricsPort = metricsPort;
    for (const stream of [process.stdout, process.stderr]) {
      stream?.on("data", (chunk) => {
        this.log += chunk;
      });
    }
  }

  /** Status of a GET without a password, 0 where nobody answers. */
  async status(path: string, port = this.port): Promise<number> {
    return fetch(`http://127.0.0.1:${port}${path}`).then(
      ({ status }) => status,
      () => 0,
    );
  }

  /** Waits until a probe passes. @throws with the log after 30 s, or when the server has ended */
  async until(path: "/ping" | "/healthz"): Promise<void> {
    for (let attempt = 0; attempt < 600; attempt++) {
      if ((await this.status(path)) === 200) return;
      if (this.process.exitCode !== null) break;
      await sleep(50);
    }
    throw new Error(`no ${path} from Tile38:\n${this.log}`);
  }

  /** Sends one command and gives its JSON reply. */
  async ask(command: string, password: string | null = PASSWORD): Promise<Record<string, unknown>> {
    const headers = password === null ? {} : { Authorization: password };
    const reply = await fetch(`http://127.0.0.1:${this.port}/${command.replaceAll(" ", "+")}`, { headers });
    return (await reply.json()) as Record<string, unknown>;
  }

  /** Sends many commands over one connection, and waits for the last reply. */
  async send(commands: readonly string[]): Promise<void> {
    const socket = connect(this.port, "127.0.0.1");
    socket.end([`AUTH ${PASSWORD}`, ...commands, "QUIT", ""].join("\r\n"));
    socket.resume();
    await once(socket, "close");
  }

  /** Objects by SERVER. */
  async objects(): Promise<unknown> {
    const { stats } = await this.ask("server");
    return (stats as Record<string, unknown>).num_objects;
  }

  /** Ends it at once, as the kernel does when memory runs out. */
  async kill(): Promise<void> {
    const ended = once(this.process, "exit");
    this.process.kill("SIGKILL");
    await ended;
  }

  async stop(): Promise<void> {
    await stop(this.process);
  }
}
