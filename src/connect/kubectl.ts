/** What only kubectl can do: forward the port of a Service, and send objects whose content is secret. */
import { spawn } from "node:child_process";
import { ConnectionFailure } from "../jetstream/api.ts";
import { spawnApart } from "./child.ts";

export interface Forward extends AsyncDisposable {
  /** On 127.0.0.1. */
  readonly port: number;
}

export interface ServicePort {
  /** Of kubectl's configuration. */
  readonly context: string;
  readonly namespace: string;
  readonly service: string;
  readonly port: number;
}
export interface PodPort extends Omit<ServicePort, "service"> {
  readonly pod: string;
}

/** Milliseconds until kubectl must forward: a login that asks a person, or an API server that is gone, never answers. */
const PATIENCE = 30_000;

/** Forwards a free port of this machine until disposal. @throws ConnectionFailure with what kubectl said */
export const forwardPort = ({ service, ...where }: ServicePort, patience = PATIENCE): Promise<Forward> =>
  forward("service", service, where, patience);

/** The same to one pod, ready or not. */
export const forwardPodPort = ({ pod, ...where }: PodPort, patience = PATIENCE): Promise<Forward> =>
  forward("pod", pod, where, patience);

function forward(
  kind: "service" | "pod",
  name: string,
  { context, namespace, port }: Omit<ServicePort, "service">,
  patience: number,
): Promise<Forward> {
  const args = ["--context", context, "--namespace", namespace, "port-forward", "--address", "127.0.0.1"];
  const kubectl = spawnApart("kubectl", [...args, `${kind}/${name}`, `:${port}`]);
  const stop = () =>
    new Promise<void>((done) => {
      if (kubectl.exitCode !== null || kubectl.signalCode !== null) return done();
      kubectl.once("exit", () => done());
      kubectl.kill();
    });
  return new Promise((done, fail) => {
    let said = "";
    const late = setTimeout(() => {
      failed(`it forwards nothing after ${patience / 1000} s`);
      kubectl.kill();
    }, patience);
    const failed = (why: string, cause?: Error) => {
      clearTimeout(late);
      fail(
        new ConnectionFailure(
          `kubectl port-forward to ${name} in ${namespace}: ${why}. Check --kubectl (kubectl config get-contexts) and your rights.`,
          { cause },
        ),
      );
    };
    kubectl.once("error", (error) => failed(error.message, error));
    kubectl.once("exit", () => failed(said.trim().split("\n").at(-1) || "it ended without a word"));
    kubectl.stderr.on("data", (chunk) => {
      said += chunk;
    });
    kubectl.stdout.on("data", (chunk) => {
      const local = /Forwarding from 127\.0\.0\.1:(\d+)/.exec(String(chunk))?.[1];
      if (!local) return;
      clearTimeout(late);
      done({ port: Number(local), [Symbol.asyncDispose]: stop });
    });
  });
}

/**
 * Sends objects by stdin. On the server's side, because a client's apply keeps a copy of everything in an annotation.
 * @throws ConnectionFailure with what kubectl said; never with what it was given
 */
export async function applyObjects(context: string, objects: readonly object[], patience = ANSWER): Promise<void> {
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
  await runKubectl(context, ["apply", "--server-side", "--force-conflicts", "-f", "-"], { input: list, patience });
}

/** @throws ConnectionFailure with what kubectl said */
export async function readSecret(
  context: string,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  patience = ANSWER,
): Promise<Readonly<Record<string, string>> | undefined> {
  const args = ["get", "secret", name, "--namespace", namespace, "--ignore-not-found", "--output", "json"];
  const text = await runKubectl(context, args, { patience });
  if (text.trim() === "") return undefined;
  const { data = {} } = JSON.parse(text) as { readonly data?: Readonly<Record<string, string>> };
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]));
}

export interface PodContainer extends Omit<PodPort, "port"> {
  readonly container: string;
}

/** What a container of a pod has printed since its last start. @throws ConnectionFailure with what kubectl said */
export const readLog = ({ context, namespace, pod, container }: PodContainer, patience = ANSWER): Promise<string> =>
  runKubectl(context, ["logs", pod, "--namespace", namespace, "--container", container], { patience });

/** Milliseconds for one command that gets or sends a few objects; it repeats a request of its own accord. */
const ANSWER = 60_000;

function runKubectl(
  context: string,
  args: readonly string[],
  { input = "", patience }: { readonly input?: string; readonly patience: number },
): Promise<string> {
  const kubectl = spawn("kubectl", ["--context", context, ...args], { stdio: ["pipe", "pipe", "pipe"] });
  return new Promise((done, fail) => {
    let said = "";
    let text = "";
    const late = setTimeout(() => {
      failed(`it gave no answer in ${patience / 1000} s`);
      kubectl.kill("SIGKILL");
      // What it started to log in may hold on to them.
      for (const stream of kubectl.stdio) stream?.destroy();
    }, patience);
    const failed = (why: string, cause?: Error) => {
      clearTimeout(late);
      fail(
        new ConnectionFailure(
          `kubectl ${args[0]} ${args[0] === "apply" ? "to" : "from"} ${context}: ${why}. Check --kubectl (kubectl config get-contexts) and your rights; running the same command again is safe.`,
          { cause },
        ),
      );
    };
    kubectl.once("error", (error) => failed(error.message, error));
    kubectl.once("close", (code) => {
      if (code !== 0) return failed(said.trim().split("\n")[0] || `it ended with ${code}`);
      clearTimeout(late);
      done(text);
    });
    kubectl.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    kubectl.stderr.on("data", (chunk) => {
      said += chunk;
    });
    kubectl.stdin.on("error", () => {});
    kubectl.stdin.end(input);
  });
}
