/** Key-value buckets and object stores: what makes a stream one, to every client. */
import type { Model } from "../../model/resolve.ts";
import type { Rule } from "../rule.ts";
import { checkStreams, type Row, type SeenStream } from "./rows.ts";

/** Settings by which clients know a bucket (ADR-8, ADR-20). */
const PREFIX = { kv: "KV_", "object-store": "OBJ_" } as const;

const BUCKET_ROWS: readonly Row<SeenStream>[] = [
  {
    at: "maxMsgsPerSubject",
    what: "history out of 1 to 64",
    why: "clients make buckets of 1 to 64 values a key, and no others",
    when: ({ stream: { kind, maxMsgsPerSubject = -1 } }) =>
      kind === "kv" && (maxMsgsPerSubject < 1 || maxMsgsPerSubject > 64) && `history ${maxMsgsPerSubject}`,
  },
  {
    at: "duplicateWindow",
    what: "duplicateWindow of a bucket",
    why: "clients ask for the window that the ttl gives, and are refused where it is another",
    when: ({ stream: { kind, duplicateWindow } }) => kind !== undefined && duplicateWindow !== undefined,
  },
  {
    at: "name",
    what: "kind and name that do not fit",
    why: "clients look for a bucket B in KV_B and for an object store B in OBJ_B",
    when: ({ stream: { kind, name } }) =>
      kind !== undefined && !name.startsWith(PREFIX[kind]) && `"${name}" for "${kind}"`,
  },
];

const strangeBucket: Rule<Model> = {
  code: "S019",
  severity: "error",
  title: "A bucket that its clients do not know as one",
  reason: "To the server a bucket is a stream like any other, so only clients notice, each in its own way.",
  hint: "Make buckets by defineBucket and defineObjectStore, with a history of 1 to 64.",
  rows: BUCKET_ROWS,
  check: (model) => checkStreams(BUCKET_ROWS, model),
};

export const bucketRules = [strangeBucket];
