/** Settings that the server refuses together, found before half of an apply is done. */
import type { Model } from "../../model/resolve.ts";
import { collide } from "../../model/subject.ts";
import { inStream } from "../place.ts";
import type { Rule } from "../rule.ts";

const mirrorAndMore: Rule<Model> = {
  code: "S060",
  severity: "error",
  title: "A mirror that is something else as well",
  reason:
    "A mirror keeps the sequences of its origin, so nothing else may come in: the server refuses subjects (10034) and sources (10031).",
  hint: "Use sources instead of mirror, or remove the others.",
  *check({ streams }) {
    for (const stream of streams.filter(({ mirror }) => mirror !== undefined)) {
      if (stream.subjects.length > 0) yield { place: inStream(stream, "mirror"), says: "stands beside subjects" };
      if (stream.sources.length > 0) yield { place: inStream(stream, "mirror"), says: "stands beside sources" };
    }
  },
};

const perSubject: Rule<Model> = {
  code: "S061",
  severity: "error",
  title: "A limit per subject that cannot refuse",
  reason:
    "discardNewPerSubject refuses a message where its subject is full; the server takes it only with discard new and a limit (10052).",
  hint: 'Set discard "new" and maxMsgsPerSubject.',
  *check({ streams }) {
    for (const { discardNewPerSubject, discard, maxMsgsPerSubject = -1, ...stream } of streams) {
      if (discardNewPerSubject && (discard !== "new" || maxMsgsPerSubject <= 0)) {
        yield {
          place: inStream(stream as (typeof streams)[number], "discardNewPerSubject"),
          says: `is set with discard "${discard}" and maxMsgsPerSubject ${maxMsgsPerSubject}`,
        };
      }
    }
  },
};

const workQueue: Rule<Model> = {
  code: "S062",
  severity: "error",
  title: "Consumers that a work queue refuses",
  reason:
    "A message of a work queue goes to one consumer and is gone when it is acknowledged: the server wants explicit acks (10098), and refuses a " +
    "second consumer for the same subjects (10099, 10100).",
  hint: 'Let filters share nothing and ackPolicy be "explicit", or give the stream retention "limits" or "interest".',
  *check({ streams }) {
    for (const stream of streams.filter(({ retention }) => retention === "workqueue")) {
      const filters = stream.consumers.map(({ filterSubject, filterSubjects = [] }) =>
        filterSubject ? [filterSubject] : filterSubjects.length > 0 ? filterSubjects : [">"],
      );
      for (const [i, { name, ackPolicy }] of stream.consumers.entries()) {
        const place = inStream(stream, `consumers[${i}] ${name}`);
        if (ackPolicy !== "explicit") yield { place, says: `has ackPolicy "${ackPolicy ?? "none"}"` };
        const other = filters
          .slice(0, i)
          .findIndex((earlier) => earlier.some((a) => filters[i]?.some((b) => collide(a, b))));
        if (other >= 0) yield { place, says: `wants the same messages as ${stream.consumers[other]?.name}` };
      }
    }
  },
};

export const combinationRules = [mirrorAndMore, perSubject, workQueue];
