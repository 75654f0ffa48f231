/** Whether what was there can be put back. */
import { NATS } from "../kubernetes/names.ts";
import { lineOf, parseVersion } from "../model/version.ts";
import type { ObjectChange } from "./comparison.ts";
import type { KubeObject } from "./object.ts";
import { tagOf } from "./stateful-set-impact.ts";

export interface WayBackInput {
  /** What putting it back would change. */
  readonly changes: readonly ObjectChange[];
  /** Tag of the NATS image that runs now. */
  readonly running: string | undefined;
  /** What is to be put back. */
  readonly declared: readonly KubeObject[];
  /** Streams that this run has changed with loss, or for good. */
  readonly streamsChanged: readonly string[];
  /** Nobody has asked for it: then nothing is risked. */
  readonly unasked: boolean;
}

/** Every reason against it, with what to do; without any, it may be done. */
export function reasonsAgainst(input: WayBackInput): string[] {
  const { changes, running, declared, streamsChanged, unasked } = input;
  const server = declared.find(({ kind, metadata }) => kind === "StatefulSet" && metadata.name === NATS.name);
  const wanted = server && tagOf(server);
  return [
    ...changes.flatMap(({ title, impacts, conflicts }) => [
      ...impacts
        .filter(({ consequence }) => consequence === "blocked")
        .map(({ says, hint = "" }) => `${title}: ${says}. ${hint}`.trim()),
      ...conflicts.map(({ field, owner }) => `${title}: ${field} belongs to ${owner} now. Settle that first.`),
    ]),
    ...(unasked && running && wanted && lineOfTag(running) !== lineOfTag(wanted)
      ? [
          `NATS would go from ${running} back to ${wanted}: what the newer line wrote may not be readable. ` +
            "Mend forward, or read the release notes and run circl rollback by hand.",
        ]
      : []),
    ...streamsChanged.map(
      (name) =>
        `stream ${name} was changed for good by this run: the manifests of before do not bring back its messages.`,
    ),
  ];
}

function lineOfTag(tag: string): string {
  const version = parseVersion(tag);
  return version ? lineOf(version) : tag;
}
