/** `kubectl proxy` as a child: HTTP to the API server of a context, with kubectl's login. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { ConnectionFailure } from "../jetstream/api.ts";
import { spawnApart } from "./child.ts";

export interface Answer {
  /** Of HTTP. */
  readonly status: number;
  readonly text: string;
}

export interface Proxy extends AsyncDisposable {
  /** @throws ConnectionFailure where nobody answers */
  request(method: string, path: string, body?: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
}

/** Milliseconds for one answer. An API server that is starved answers late, one that is gone never. */
const PATIENCE = 60_000;

/** Starts the proxy; disposal ends it. @throws ConnectionFailure with what kubectl said */
export async function startProxy(context: string): Promise<Proxy> {
  // For this user alone: whoever opens the socket is logged in.
  const folder = mkdtempSync(join(tmpdir(), "circl-kubectl-"));
  const socketPath = join(folder, "api");
  const kubectl = spawnApart("kubectl", ["--context", context, "proxy", `--unix-socket=${socketPath}`]);
  const [said, gone] = [text(kubectl.stderr), new Promise<void>((done) => kubectl.once("close", () => done()))];
  const stop = async () => {
    if (kubectl.exitCode === null && kubectl.signalCode === null) kubectl.kill();
    if (kubectl.pid !== undefined) await gone;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await new Promise<void>((done, fail) => {
      kubectl.once("error", fail);
      kubectl.once("exit", async () =>
        fail(new Error((await said).trim().split("\n").at(-1) || "it ended without a word")),
      );
      kubectl.stdout.once("data", () => done());
    });
  } catch (cause) {
    await stop();
    const why = (cause as Error).message;
    throw new ConnectionFailure(
      `kubectl proxy to ${context}: ${why}. Check --kubectl (kubectl config get-contexts) and that kubectl is installed.`,
      { cause },
    );
  }
  return {
    async request(method, path, body, headers = {}) {
      // Node says no length of its own accord for some methods, and the body is lost then.
      const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
      const sent = request({
        socketPath,
        method,
        path,
        headers: { ...headers, ...length },
        timeout: PATIENCE,
        agent: false,
      });
      sent.once("timeout", () => sent.destroy(new Error(`no answer after ${PATIENCE / 1000} s`)));
      sent.end(body);
      try {
        const [response] = await once(sent, "response");
        return { status: response.statusCode ?? 0, text: await text(response) };
      } catch (cause) {
        throw new ConnectionFailure(
          `${method} ${path.split("?")[0]}: ${(cause as Error).message}. Run the same command again: what is done stays done.`,
          { cause, passing: true },
        );
      }
    },
    [Symbol.asyncDispose]: stop,
  };
}
