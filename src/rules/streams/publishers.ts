/** Who may publish what: permissions follow from it, and what nobody declares nobody may. */

import { AUDIT_PREFIX } from "../../model/audit.ts";
import { filtersOf } from "../../model/capture.ts";
import type { Model } from "../../model/resolve.ts";
import { SERVER, STREAM_SYNC, type Stream } from "../../model/stream.ts";
import { collide, covers } from "../../model/subject.ts";
import { originsOf } from "../../model/traffic.ts";
import { inConsumer, inStream } from "../place.ts";
import type { Rule } from "../rule.ts";

const unpublished: Rule<Model> = {
  code: "S070",
  severity: "warning",
  title: "A subject that nobody may publish",
  reason:
    "Permissions are made of declared publishers. Whoever publishes here today is refused by the servers once auth.conf is in force.",
  hint: "Declare who publishes it, or take the subject away.",
  *check({ streams }) {
    for (const stream of streams) {
      for (const [i, subject] of stream.subjects.entries()) {
        if (!stream.publishers.some((publisher) => collide(publisher.subject, subject))) {
          yield { place: inStream(stream, `subjects[${i}]`), says: `"${subject}" has no publisher` };
        }
      }
    }
  },
};

/** Subjects that somebody publishes into `stream`, directly or to a stream that it copies. */
function fedBy(stream: Stream, model: Model, seen: readonly string[] = []): string[] {
  const copied = originsOf(stream).flatMap(({ name, filterSubject = ">" }) => {
    const origin = model.streams.find((candidate) => candidate.name === name);
    if (!origin || seen.includes(name)) return [];
    return fedBy(origin, model, [...seen, stream.name]).filter((subject) => collide(subject, filterSubject));
  });
  return [...stream.publishers.map(({ subject }) => subject), ...copied];
}

const hasTransforms = (stream: Stream): boolean =>
  stream.subjectTransform !== undefined ||
  [...stream.sources, ...(stream.mirror ? [stream.mirror] : [])].some(
    ({ subjectTransforms, external }) => subjectTransforms?.length || external,
  );

const unfed: Rule<Model> = {
  code: "S071",
  severity: "warning",
  title: "A consumer that nobody can feed",
  reason: "No declared publisher may publish what it filters for, so it waits for ever while everything looks well.",
  hint: "Declare who publishes it, or correct the filter.",
  *check(model) {
    for (const stream of model.streams) {
      const fed = fedBy(stream, model);
      // What a transform writes is not what was published, and other accounts are not told of here.
      if (fed.length === 0 || hasTransforms(stream)) continue;
      for (const consumer of stream.consumers) {
        const idle = filtersOf(consumer).filter((filter) => !fed.some((subject) => collide(subject, filter)));
        if (idle.length > 0) {
          yield {
            place: inConsumer(stream, consumer),
            says: `filters for ${idle.map((filter) => `"${filter}"`).join(", ")}, which nobody may publish`,
          };
        }
      }
    }
  },
};

/** What the servers say, answers to requests, and the lock of our own tool. */
const NOT_THEIRS = ["$SYS.>", "$JS.>", `${AUDIT_PREFIX}.>`];

const forged: Rule<Model> = {
  code: "S072",
  severity: "error",
  title: "A service that may speak for the server",
  reason:
    "The audit is evidence only while nobody but the servers writes it, and an answer is believed because only the server sends to an inbox.",
  hint: `Publish under a subject of your own; "${SERVER}" is who publishes what the servers say.`,
  *check({ streams }) {
    for (const stream of streams) {
      for (const [i, { service, subject, deadLettersOf }] of stream.publishers.entries()) {
        if (service === SERVER || service === STREAM_SYNC || deadLettersOf) continue;
        const hit = subject.startsWith("_INBOX") ? "_INBOX" : NOT_THEIRS.find((theirs) => collide(theirs, subject));
        if (hit) {
          yield {
            place: inStream(stream, `publishers[${i}].subject`),
            says: `lets ${service} publish to "${subject}", which reaches into ${hit}`,
          };
        }
      }
    }
  },
};

const readersOfStream: Rule<Model> = {
  code: "S073",
  severity: "error",
  title: "Readers of what is no bucket",
  reason:
    "Readers get the requests by which clients read key-value buckets and object stores; a stream is read by a consumer, which says " +
    "where its reader is and what is left to do.",
  hint: "Declare a consumer for each of them.",
  *check({ streams }) {
    for (const stream of streams) {
      if (!stream.kind && stream.readers.length > 0) {
        yield { place: inStream(stream, "readers"), says: `names ${stream.readers.join(", ")}` };
      }
    }
  },
};

const overlapping: Rule<Model> = {
  code: "S074",
  severity: "error",
  title: "Two subjects of one service that overlap in part",
  reason:
    "A service publishes through one import for each of its subjects, from its own account into that of the streams. What matches two " +
    "of them goes through both, and is stored twice.",
  hint: "Declare subjects of which one holds the other, or that have nothing in common.",
  *check({ streams }) {
    const said = streams.flatMap((stream) =>
      stream.publishers.map(({ service, subject }, i) => ({ service, subject, stream, i })),
    );
    for (const [at, { service, subject, stream, i }] of said.entries()) {
      if (service === SERVER || service === STREAM_SYNC) continue;
      const other = said
        .slice(0, at)
        .find(
          (earlier) =>
            earlier.service === service &&
            collide(earlier.subject, subject) &&
            !covers(earlier.subject, subject) &&
            !covers(subject, earlier.subject),
        );
      if (other) {
        yield {
          place: inStream(stream, `publishers[${i}].subject`),
          says: `"${subject}" of ${service} overlaps in part with its "${other.subject}" (${other.stream.name})`,
        };
      }
    }
  },
};

export const publisherRules = [unpublished, unfed, forged, readersOfStream, overlapping];
