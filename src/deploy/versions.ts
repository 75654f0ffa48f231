/** What an upgrade or a downgrade of nats-server takes. Sources: whats_new_2xx.md and jetstream_versioning.go of nats-server. */
import { atLeast, lineOf, parseVersion, type Version } from "../model/version.ts";

/** Minor lines in their order, with the level of the JetStream API that each one knows. There is no 2.13. */
const LINES: readonly (readonly [minor: string, apiLevel: number])[] = [
  ["2.9", 0],
  ["2.10", 0],
  ["2.11", 1],
  ["2.12", 2],
  ["2.14", 4],
  ["2.15", 5],
];

export interface VersionStep {
  readonly kind: "same" | "patch" | "upgrade" | "downgrade";
  /** Why it must not be done as it is; missing where it may. */
  readonly obstacle?: { readonly says: string; readonly hint: string };
  /** What to know before it is done. */
  readonly notes: readonly string[];
}

/**
 * From one image tag to another.
 *
 * @param assetLevel the highest API level that a live stream or consumer needs; undefined where nobody was asked
 */
export function versionStep(fromTag: string, toTag: string, assetLevel?: number): VersionStep {
  const [from, to] = [parseVersion(fromTag), parseVersion(toTag)];
  if (fromTag === toTag) return { kind: "same", notes: [] };
  if (!from || !to) return unknownLine(fromTag, toTag);
  const [before, after] = [placeOf(from), placeOf(to)];
  if (before < 0 || after < 0) return unknownLine(fromTag, toTag);
  if (before === after) return { kind: "patch", notes: [] };
  const kind = before < after ? "upgrade" : "downgrade";
  if (Math.abs(before - after) > 1) return { kind, obstacle: tooFar(fromTag, toTag, before, after), notes: [] };
  return kind === "upgrade" ? { kind, notes: upgradeNotes(after) } : downgrade(to, after, toTag, assetLevel);
}

/** Its place among the lines; -1 for one that is not known here. */
const placeOf = (version: Version): number => LINES.findIndex(([line]) => line === lineOf(version));

const unknownLine = (from: string, to: string): VersionStep => ({
  kind: "upgrade",
  obstacle: {
    says: `${from} -> ${to}: nobody knows here what lies between these versions`,
    hint: "Read the release notes, then add the line to src/deploy/versions.ts.",
  },
  notes: [],
});

function tooFar(from: string, to: string, before: number, after: number) {
  const next = LINES[before + Math.sign(after - before)]?.[0];
  return {
    says: `${from} -> ${to}: more than one minor line at once`,
    hint: `Deploy ${next} first, wait until every stream is current, then go on. One line at a time is what is tested (upgrading_cluster.md).`,
  };
}

const NOT_ASKED =
  "whether live streams need a newer API level is not known: circl deploy and circl rollback ask servers that answer";

const upgradeNotes = (line: number): string[] =>
  LINES[line]?.[0] === "2.12"
    ? ["2.12 refuses requests with unknown fields (strict): old clients that send them break"]
    : [];

function downgrade(to: Version, line: number, toTag: string, assetLevel: number | undefined): VersionStep {
  const minor = LINES[line]?.[0] ?? "";
  const level = LINES[line]?.[1] ?? 0;
  if (assetLevel !== undefined && assetLevel > level) {
    return {
      kind: "downgrade",
      obstacle: {
        says: `live streams or consumers need API level ${assetLevel}, ${minor} knows ${level}: they would go offline`,
        hint: "Take the settings that need it out of streams/, apply, then downgrade.",
      },
      notes: [],
    };
  }
  const least = { "2.11": "2.11.9", "2.9": "2.9.22" }[minor];
  if (least && !atLeast(to, least)) {
    return {
      kind: "downgrade",
      obstacle: { says: `${toTag} cannot read what a newer line wrote`, hint: `Go to ${least} or newer of that line.` },
      notes: [],
    };
  }
  const notes = [
    ...(minor === "2.10" ? ["2.10 rebuilds the state of every stream at its first start: expect a slow one"] : []),
    ...(assetLevel === undefined ? [NOT_ASKED] : []),
  ];
  return { kind: "downgrade", notes };
}
