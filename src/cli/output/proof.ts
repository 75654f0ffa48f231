/** What a proof has shown, for people and for machines. */
import type { Model } from "../../model/resolve.ts";
import type { BootedEnvironment } from "../../proof/environment.ts";
import type { Proven } from "../../proof/proof.ts";
import { columns } from "./columns.ts";
import type { Look } from "./terminal.ts";

/** One step, as it is done. */
export const renderProven = ({ title, holds, says, took }: Proven, { colours }: Look): string =>
  holds ? `+ ${title} (${took} s): ${says}` : colours.red(`! ${title} (${took} s): ${says}`);

export function renderProof(environment: string, proven: readonly Proven[], { colours }: Look): string {
  const failed = proven.filter(({ holds }) => !holds);
  const rows = proven.map(({ title, holds, says, took }) => [
    holds ? "+" : "!",
    title,
    `${took.toFixed(1)} s`,
    says.split("\n")[0] ?? "",
  ]);
  const end =
    failed.length === 0
      ? colours.green(`${environment}: all ${proven.length} hold.`)
      : failed
          .map(({ title, says }) => colours.red(`${environment}: it does not hold that ${title}.\n${says}`))
          .join("\n");
  return [...columns(rows, ""), "", end].join("\n");
}

export const proofJson = (environment: string, proven: readonly Proven[]) => ({
  environment,
  holds: proven.every(({ holds }) => holds),
  steps: proven,
});

/** For `--keep`. */
export function howToConnect({ environment }: Model, { plane, nodes }: BootedEnvironment, folder: string): string {
  const addresses = nodes.pods().map(({ pod, address }) => [pod.metadata.name, address ?? ""]);
  return [
    "",
    "It stays until Ctrl-C.",
    `  export KUBECONFIG=${plane.kubeconfig}`,
    `  kubectl get pods --namespace ${environment.kubernetes.namespace}`,
    ...columns(addresses, "  "),
    `Logs: ${nodes.logs}/<namespace>_<pod>_<uid>/<container>/<run>.log`,
    `Seeds and the authority of the certificates: ${folder}`,
    "This machine reaches the pods by their addresses, as a node does. Their clients reach them by Services and policies.",
  ].join("\n");
}
