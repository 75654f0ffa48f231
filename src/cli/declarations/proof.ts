/** The command that boots an environment here. */
import type { Command } from "commander";
import type { ProofOptions } from "../commands/proof.ts";
import { json, runs } from "./runs.ts";

export function declareProof(program: Command, root: string): void {
  program
    .command("proof")
    .summary("boot an environment on this machine and try it")
    .description(
      "Starts a real Kubernetes control plane and three nodes on this machine, applies dist/<environment> as it is, and tries " +
        "it as its clients would. Leaves nothing behind. Takes Linux, root and 3 GiB of memory; the first run builds Kubernetes.",
    )
    .argument("<environment>")
    .option("--keep", "leave it running until Ctrl-C, and say how to connect")
    .option("--short", "boot and try; kill and roll nothing")
    .addOption(json())
    .action(
      runs(async (name: string, options: ProofOptions) =>
        (await import("../commands/proof.ts")).run(name, options, root),
      ),
    );
}
