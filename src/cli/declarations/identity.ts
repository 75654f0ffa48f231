/** The commands of `circl identity`. */
import { type Command, Option } from "commander";
import type { Asked, IdentityOptions } from "../commands/identity.ts";
import { withServers } from "../connection.ts";
import { json, runs } from "./runs.ts";

export function declareIdentity(program: Command): void {
  const identity = program
    .command("identity")
    .summary("make, rotate and revoke credentials")
    .description(
      "Credentials of services, tools and people, the password of Tile38 and the encryption key of JetStream. They go to the " +
        "environment's secret store (through gcloud) or to a folder, and are never printed.",
    );
  const command = (name: string, names: string, summary: string, description: string): Command =>
    identity
      .command(name)
      .summary(summary)
      .description(description)
      .argument("<environment>")
      .argument(names, "as `identity list` names them")
      .option("--store <dir>", "keep the documents in a folder, not in the environment's store");
  const writing = (action: Asked, ...texts: [names: string, summary: string, description: string]): Command =>
    command(action, ...texts)
      .option("--out <dir>", "without a secret store: write the Secrets as files, and the documents beside them")
      .option(
        "--kubectl <context>",
        "without a secret store: send the Secrets to a cluster; of rotate, finish and revoke: where the servers are asked",
      )
      .action(
        runs(async (environment: string, names: string[], options: IdentityOptions) =>
          (await import("../commands/identity.ts")).run(action, environment, names, options),
        ),
      );
  const wait = () =>
    new Option(
      "--wait <duration>",
      "how long the store's content takes to be everywhere (default: its refresh and 2m)",
    );
  const asking = (declared: Command): Command =>
    withServers(declared.addOption(wait()), "every server, separated by commas: each is asked whom it lets in");
  const all = ["--all", "all identities"] as const;

  writing(
    "create",
    "[names...]",
    "make what is missing",
    "Makes the credentials that are missing. Those that are there stay as they are.",
  );
  asking(
    writing(
      "rotate",
      "[names...]",
      "begin a rotation: two are valid",
      "Makes a new credential and lets both be valid. The servers learn of it first, then the client's half is replaced: once every " +
        "server of --server, --context or --kubectl lets it in; where none is given, once they should.",
    )
      .option(...all)
      .option("--to-nkey", "from a password to an NKey: clients have both until finish"),
  );
  asking(
    writing(
      "finish",
      "[names...]",
      "end a rotation: only the new one is valid",
      "Ends a rotation, where every server of --server, --context or --kubectl lets in what clients have now, and nobody is in with the " +
        "previous credential as far as --kubectl shows. Whoever still uses it is cut off. Before it takes an encryption key it reads in " +
        "the pods of --kubectl which one each volume has, or asks.",
    )
      .option(...all)
      .option(
        "--auto-approve",
        "do not ask: every server has said that its volume has the current key (with --kubectl it is read all the same)",
      ),
  );
  asking(
    writing(
      "revoke",
      "[names...]",
      "replace a credential at once",
      "Replaces a credential at once: for one that has leaked. Its client is locked out until it has the new one. Ends when every " +
        "server of --server, --context or --kubectl refuses what the client had; where none is given, nobody has seen that.",
    )
      .option(...all)
      .option("--without-new", "make no new one: nobody logs in as it until the next revoke")
      .option("--auto-approve", "do not ask"),
  );
  command(
    "list",
    "[names...]",
    "say who has what, and since when",
    "Says how the credentials stand. Prints nothing secret. Ends with 3 where somebody must do something.",
  )
    .option("--unfinished-after <duration>", "how long two credentials may be valid before that is a problem", "14d")
    .option("--public", "read no client's half, no password and no key: for a pipeline that shall not have them")
    .option("--out <dir>", "the folder of an earlier --out")
    .option("--kubectl <context>", "without a secret store: the cluster of an earlier create")
    .addOption(json())
    .action(
      runs(async (environment: string, names: string[], options: IdentityOptions) =>
        (await import("../commands/identity.ts")).list(environment, names, options),
      ),
    );
}
