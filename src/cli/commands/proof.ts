/** `circl proof`: boots what dist says on a real control plane on this machine, tries it, and leaves nothing behind. */
import { join } from "node:path";
import { makeEverything } from "../../identity/keeper.ts";
import { renderSecrets } from "../../identity/rendered.ts";
import { memoryStore } from "../../identity/store.ts";
import { CLIENT_NAMESPACE_LABEL } from "../../kubernetes/names.ts";
import type { Model } from "../../model/resolve.ts";
import { checkCluster } from "../../proof/cluster.ts";
import { bootEnvironment } from "../../proof/environment.ts";
import { findPrograms } from "../../proof/programs.ts";
import { type Proven, proveAll, type Step } from "../../proof/proof.ts";
import { makeScratchFolder } from "../../proof/scratch-folder.ts";
import {
  applyStreams,
  checkStreams,
  exchangeMessages,
  exchangePositions,
  type Subject,
  scrapeMetrics,
} from "../../proof/smoke.ts";
import { killServer, rollServers } from "../../proof/trials.ts";
import { policy } from "../../rules/changes.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { howToConnect, proofJson, renderProof, renderProven } from "../output/proof.ts";
import { log, lookOf, print, printJson } from "../output/terminal.ts";
import { soundModel } from "./plan.ts";

export interface ProofOptions {
  readonly keep?: boolean;
  readonly json?: boolean;
  readonly short?: boolean;
}

export async function run(name: string, options: ProofOptions, root: string): Promise<ExitCode> {
  const model = soundModel(name);
  if (!model) return exitCodes.problems;
  const programs = await findPrograms(root);
  const interrupts = interruptible();
  try {
    await using scratch = await makeScratchFolder("circl-proof-");
    const documents = memoryStore();
    await makeEverything(model, documents);
    const start = performance.now();
    await using booted = await bootEnvironment({
      ...programs,
      manifests: join(root, "dist", model.environment.name),
      namespace: model.environment.kubernetes.namespace,
      clients: { namespaces: clientNamespaces(model), label: CLIENT_NAMESPACE_LABEL },
      secrets: model.environment.secrets.store === "kubectl" ? await renderSecrets(model, documents) : [],
      documents,
      signal: interrupts.signal,
      log,
    });
    const subject = { model, booted, documents, folder: scratch.path, root };
    const look = lookOf(process.stderr);
    // A step that is under way fails when what it tries is taken away, which nobody needs to be told.
    const told = (proven: Proven) => interrupts.signal.aborted || log(renderProven(proven, look));
    const work = proveAll(steps(subject, start, options.short === true), told);
    const proven = await Promise.race([work, interrupts.promise]);
    if (options.json) printJson(proofJson(model.environment.name, proven));
    else print(renderProof(model.environment.name, proven, lookOf(process.stdout)));
    if (options.keep) {
      log(howToConnect(model, booted, scratch.path));
      await interrupts.promise.catch(() => {});
    }
    return proven.every(({ holds }) => holds) ? exitCodes.done : exitCodes.problems;
  } catch (error) {
    if (!interrupts.signal.aborted) throw error;
    log("Interrupted. Everything that was started is gone.");
    // That step may go on waiting for minutes for what is gone.
    process.exit(exitCodes.interrupted);
  } finally {
    interrupts.stop();
  }
}

function steps(subject: Subject, start: number, short: boolean): readonly Step[] {
  const { booted } = subject;
  const smoke: readonly Step[] = [
    {
      title: "pods become ready",
      prove: async () => {
        await booted.ready();
        const seconds = Math.round((performance.now() - start) / 1000);
        return `${booted.nodes.pods().length} pods, ${seconds} s after the start of the control plane`;
      },
    },
    { title: "servers are one cluster", prove: () => checkCluster(subject) },
    { title: "streams are applied", prove: () => applyStreams(subject, policy) },
    { title: "replicas are current", prove: () => checkStreams(subject) },
    { title: "services exchange messages", prove: () => exchangeMessages(subject) },
    { title: "positions reach followers", prove: () => exchangePositions(subject) },
    { title: "metrics are there", prove: () => scrapeMetrics(subject) },
  ];
  if (short) return smoke;
  return [
    ...smoke,
    { title: "a server is killed", prove: () => killServer(subject) },
    { title: "servers are rolled", prove: () => rollServers(subject) },
  ];
}

const clientNamespaces = ({ services, environment }: Model): readonly string[] => [
  ...new Set(services.map(({ namespace }) => namespace ?? environment.kubernetes.clientNamespace)),
];

/** Ctrl-C aborts the signal and rejects the promise; a second one is the shell's. */
function interruptible() {
  const controller = new AbortController();
  const interrupt = () => controller.abort(new Error("interrupted"));
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  const promise = new Promise<never>((_, fail) => {
    controller.signal.addEventListener("abort", () => fail(controller.signal.reason));
  });
  promise.catch(() => {});
  const stop = () => process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  return { signal: controller.signal, promise, stop };
}
