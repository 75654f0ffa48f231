/** Settings of a stream that the server refuses together, found before half of an apply is done. */
import type { Model } from "../../model/resolve.ts";
import type { Stream } from "../../model/stream.ts";
import { inStream } from "../place.ts";
import type { Rule } from "../rule.ts";
import { checkStreams, type Row, type SeenStream } from "./rows.ts";

const besideMirror = (
  setting: string,
  errCode: number,
  why: string,
  beside: (stream: Stream) => unknown,
  since?: string,
): Row<SeenStream> => ({
  at: "mirror",
  what: `mirror with ${setting}`,
  why,
  errCode,
  ...(since ? { since } : {}),
  when: ({ stream }) => stream.mirror !== undefined && Boolean(beside(stream)),
});

const MIRROR_ROWS: readonly Row<SeenStream>[] = [
  besideMirror("subjects", 10034, "only the origin may put messages in", ({ subjects }) => subjects.length > 0),
  besideMirror("sources", 10031, "only the origin may put messages in", ({ sources }) => sources.length > 0),
  besideMirror("firstSeq", 10143, "the sequences are the origin's", ({ firstSeq }) => firstSeq),
  besideMirror(
    "subjectDeleteMarkerTtl",
    10052,
    "a marker of its own would take a sequence that the origin gives to a message",
    ({ subjectDeleteMarkerTtl }) => subjectDeleteMarkerTtl,
    "2.11",
  ),
  besideMirror("allowMsgCounter", 10173, "the origin counts", ({ allowMsgCounter }) => allowMsgCounter, "2.12"),
  besideMirror("allowMsgSchedules", 10186, "the origin schedules", (s) => s.allowMsgSchedules, "2.12"),
  besideMirror("allowAtomic", 10198, "nobody publishes here", ({ allowAtomic }) => allowAtomic, "2.12"),
  besideMirror("allowBatched", 10209, "nobody publishes here", ({ allowBatched }) => allowBatched, "2.14"),
];

const mirrorAndMore: Rule<Model> = {
  code: "S060",
  severity: "error",
  title: "A mirror that is something else as well",
  reason: "A mirror keeps the sequences of its origin, so nothing else may come in: the server refuses the stream.",
  hint: "Use sources instead of mirror, or remove the others.",
  rows: MIRROR_ROWS,
  check: (model) => checkStreams(MIRROR_ROWS, model),
};

const perSubject: Rule<Model> = {
  code: "S061",
  severity: "error",
  title: "A limit per subject that cannot refuse",
  reason:
    "discardNewPerSubject refuses a message where its subject is full; the server takes it only with discard new and a limit (10052).",
  hint: 'Set discard "new" and maxMsgsPerSubject.',
  *check({ streams }) {
    for (const stream of streams) {
      const { discardNewPerSubject, discard, maxMsgsPerSubject = -1 } = stream;
      if (discardNewPerSubject && (discard !== "new" || maxMsgsPerSubject <= 0)) {
        yield {
          place: inStream(stream, "discardNewPerSubject"),
          says: `is set with discard "${discard}" and maxMsgsPerSubject ${maxMsgsPerSubject}`,
          errCode: 10052,
        };
      }
    }
  },
};

const EXCLUSIVE_ROWS: readonly Row<SeenStream>[] = [
  {
    at: "denyPurge",
    what: "denyPurge with allowRollupHdrs",
    why: "a roll-up purges what it replaces",
    errCode: 10052,
    when: ({ stream: { denyPurge, allowRollupHdrs } }) => Boolean(denyPurge && allowRollupHdrs),
  },
  {
    at: "denyPurge",
    what: "denyPurge with subjectDeleteMarkerTtl",
    why: "the server takes denyPurge back without a word, because markers roll up",
    since: "2.11",
    when: ({ stream: { denyPurge, subjectDeleteMarkerTtl } }) => Boolean(denyPurge && subjectDeleteMarkerTtl),
  },
  {
    at: "denyPurge",
    what: "denyPurge with allowMsgSchedules",
    why: "the server takes denyPurge back without a word, because schedules roll up",
    since: "2.12",
    when: ({ stream: { denyPurge, allowMsgSchedules } }) => Boolean(denyPurge && allowMsgSchedules),
  },
  {
    at: "allowMsgCounter",
    what: 'allowMsgCounter with discard "new"',
    why: "a count that is refused is lost",
    errCode: 10052,
    since: "2.12",
    when: ({ stream: { allowMsgCounter, discard } }) => Boolean(allowMsgCounter && discard === "new"),
  },
  {
    at: "allowMsgCounter",
    what: "allowMsgCounter with allowMsgTtl",
    why: "the count is in the last message, which must not expire",
    errCode: 10052,
    since: "2.12",
    when: ({ stream: { allowMsgCounter, allowMsgTtl } }) => Boolean(allowMsgCounter && allowMsgTtl),
  },
  {
    at: "allowMsgCounter",
    what: "allowMsgCounter with subjectDeleteMarkerTtl",
    why: "the server takes it and adds message TTLs, which it refuses to counters: every update is refused (10052), and after a restart the stream is gone",
    since: "2.12",
    when: ({ stream: { allowMsgCounter, subjectDeleteMarkerTtl } }) =>
      Boolean(allowMsgCounter && subjectDeleteMarkerTtl),
  },
  {
    at: "allowMsgCounter",
    what: 'allowMsgCounter with a retention other than "limits"',
    why: "the count is in the last message, which nobody may consume away",
    errCode: 10052,
    since: "2.12",
    when: ({ stream: { allowMsgCounter, retention } }) => Boolean(allowMsgCounter && retention !== "limits"),
  },
  {
    at: "allowMsgCounter",
    what: "allowMsgCounter with allowMsgSchedules",
    why: "a schedule writes messages that count nothing",
    errCode: 10052,
    // And 2.14.2: the two patches before it take this, and mend nothing.
    since: "2.12.10",
    when: ({ stream: { allowMsgCounter, allowMsgSchedules } }) => Boolean(allowMsgCounter && allowMsgSchedules),
  },
  {
    at: "allowMsgSchedules",
    what: 'allowMsgSchedules with discard "new"',
    why: "a full stream would refuse what is due",
    errCode: 10052,
    since: "2.12.10",
    when: ({ stream: { allowMsgSchedules, discard } }) => Boolean(allowMsgSchedules && discard === "new"),
  },
  {
    at: "allowMsgSchedules",
    what: "allowMsgSchedules with sources",
    why: "a copied schedule would fire in both streams",
    errCode: 10187,
    since: "2.12",
    when: ({ stream: { allowMsgSchedules, sources } }) => Boolean(allowMsgSchedules && sources.length > 0),
  },
  {
    at: "persistMode",
    what: 'persistMode "async" with storage "memory"',
    why: "there is no file to write later",
    errCode: 10052,
    since: "2.12",
    when: ({ stream: { persistMode, storage } }) => persistMode === "async" && storage === "memory",
  },
  {
    at: "persistMode",
    what: 'persistMode "async" with more than one replica',
    why: "a replica says that it has what it may still lose",
    errCode: 10052,
    since: "2.12",
    when: ({ stream: { persistMode, replicas } }) => persistMode === "async" && replicas > 1,
  },
  {
    at: "persistMode",
    what: 'persistMode "async" with allowAtomic',
    why: "a batch that is half on disk is not atomic",
    errCode: 10052,
    since: "2.12",
    when: ({ stream: { persistMode, allowAtomic } }) => Boolean(persistMode === "async" && allowAtomic),
  },
  {
    at: "mirrorDirect",
    what: "mirrorDirect without mirror",
    why: "there is no origin to answer for",
    errCode: 10052,
    when: ({ stream: { mirrorDirect, mirror } }) => Boolean(mirrorDirect && !mirror),
  },
];

const exclusive: Rule<Model> = {
  code: "S063",
  severity: "error",
  title: "Settings of a stream that exclude each other",
  reason: "The server refuses the stream, or takes it and drops one of the two without a word.",
  hint: "Choose one of the two.",
  rows: EXCLUSIVE_ROWS,
  check: (model) => checkStreams(EXCLUSIVE_ROWS, model),
};

export const combinationRules = [mirrorAndMore, perSubject, exclusive];
