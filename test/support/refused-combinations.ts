/** Settings of a stream that a rule refuses together, and the nearest ones that it does not. */
import type { StreamInput } from "../../src/model/stream.ts";
import { copying, of, type RefusedCase, row } from "./refused-definitions.ts";

/** A mirror with one more setting: its finding is at `mirror`, and its source is the same without it. */
const beside = (setting: string, why: string, errCode: number, change: Partial<StreamInput>): RefusedCase =>
  row("S060", `mirror with ${setting}`, {
    fires: copying({ mirror: { name: "origin" }, ...change }),
    at: "mirror",
    says: `mirror with ${setting}: ${why} (${errCode})`,
    quiet: copying({ mirror: { name: "origin" } }),
  });

const exclusive = (
  what: string,
  why: string,
  both: Partial<StreamInput>,
  one: Partial<StreamInput>,
  more: Partial<RefusedCase> = {},
): RefusedCase =>
  row("S063", what, {
    fires: of(both),
    at: what.split(" ")[0] ?? "",
    says: `${what}: ${why}`,
    quiet: of(one),
    ...more,
  });

export const REFUSED_COMBINATIONS: readonly RefusedCase[] = [
  beside("subjects", "only the origin may put messages in", 10034, { subjects: ["copy.>"] }),
  beside("sources", "only the origin may put messages in", 10031, { sources: [{ name: "origin" }] }),
  beside("firstSeq", "the sequences are the origin's", 10143, { firstSeq: 5 }),
  beside(
    "subjectDeleteMarkerTtl",
    "a marker of its own would take a sequence that the origin gives to a message",
    10052,
    { subjectDeleteMarkerTtl: "1m" },
  ),
  beside("allowMsgCounter", "the origin counts", 10173, { allowMsgCounter: true }),
  beside("allowMsgSchedules", "the origin schedules", 10186, { allowMsgSchedules: true }),
  beside("allowAtomic", "nobody publishes here", 10198, { allowAtomic: true }),
  { ...beside("allowBatched", "nobody publishes here", 10209, { allowBatched: true }), since: "2.14" },
  exclusive(
    "denyPurge with allowRollupHdrs",
    "a roll-up purges what it replaces (10052)",
    { denyPurge: true, allowRollupHdrs: true },
    { denyPurge: true },
  ),
  exclusive(
    "denyPurge with subjectDeleteMarkerTtl",
    "the server takes denyPurge back without a word, because markers roll up",
    { denyPurge: true, subjectDeleteMarkerTtl: "1m" },
    { subjectDeleteMarkerTtl: "1m" },
    { becomes: { deny_purge: false, allow_rollup_hdrs: true } },
  ),
  exclusive(
    "denyPurge with allowMsgSchedules",
    "the server takes denyPurge back without a word, because schedules roll up",
    { denyPurge: true, allowMsgSchedules: true },
    { allowMsgSchedules: true },
    { becomes: { deny_purge: false, allow_rollup_hdrs: true } },
  ),
  exclusive(
    'allowMsgCounter with discard "new"',
    "a count that is refused is lost (10052)",
    { allowMsgCounter: true, discard: "new" },
    { allowMsgCounter: true },
  ),
  exclusive(
    "allowMsgCounter with allowMsgTtl",
    "the count is in the last message, which must not expire (10052)",
    { allowMsgCounter: true, allowMsgTtl: true },
    { allowMsgTtl: true },
  ),
  exclusive(
    "allowMsgCounter with subjectDeleteMarkerTtl",
    "the server takes it and adds message TTLs, which it refuses to counters: every update is refused (10052), and after a restart the stream is gone",
    { allowMsgCounter: true, subjectDeleteMarkerTtl: "1m" },
    { subjectDeleteMarkerTtl: "1m" },
    { becomes: { allow_msg_ttl: true, allow_msg_counter: true } },
  ),
  exclusive(
    'allowMsgCounter with a retention other than "limits"',
    "the count is in the last message, which nobody may consume away (10052)",
    { allowMsgCounter: true, retention: "interest" },
    { retention: "interest" },
  ),
  exclusive(
    "allowMsgCounter with allowMsgSchedules",
    "a schedule writes messages that count nothing (10052)",
    { allowMsgCounter: true, allowMsgSchedules: true },
    { allowMsgSchedules: true },
  ),
  exclusive(
    'allowMsgSchedules with discard "new"',
    "a full stream would refuse what is due (10052)",
    { allowMsgSchedules: true, discard: "new" },
    { discard: "new" },
  ),
  exclusive(
    "allowMsgSchedules with sources",
    "a copied schedule would fire in both streams (10187)",
    {},
    {},
    {
      fires: copying({ sources: [{ name: "origin" }], allowMsgSchedules: true }),
      quiet: copying({ sources: [{ name: "origin" }] }, { allowMsgSchedules: true }),
    },
  ),
  exclusive(
    'persistMode "async" with storage "memory"',
    "there is no file to write later (10052)",
    { persistMode: "async", storage: "memory" },
    { persistMode: "async" },
  ),
  exclusive(
    'persistMode "async" with more than one replica',
    "a replica says that it has what it may still lose (10052)",
    { persistMode: "async", replicas: 3 },
    { persistMode: "async", replicas: 1 },
    { servers: 3 },
  ),
  exclusive(
    'persistMode "async" with allowAtomic',
    "a batch that is half on disk is not atomic (10052)",
    { persistMode: "async", allowAtomic: true },
    { allowAtomic: true },
  ),
  exclusive(
    "mirrorDirect without mirror",
    "there is no origin to answer for (10052)",
    { mirrorDirect: true },
    { mirrorDirect: false },
  ),
];
