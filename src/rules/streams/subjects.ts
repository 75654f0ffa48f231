/** Subjects: valid, captured by exactly one stream, and wanted by those who filter them. */
import { canMatch, filtersOf, heldSubjects, isCaptured } from "../../model/capture.ts";
import type { Model } from "../../model/resolve.ts";
import type { Stream, StreamOrigin } from "../../model/stream.ts";
import { collide, covers, SubjectIndex, subjectFault } from "../../model/subject.ts";
import { originsOf } from "../../model/traffic.ts";
import { inConsumer, inOrigin, inStream } from "../place.ts";
import type { Rule } from "../rule.ts";

/** Every subject that a stream names, with its place. */
function* subjectsOf(stream: Stream): Generator<readonly [string, string]> {
  for (const [i, subject] of stream.subjects.entries()) yield [`subjects[${i}]`, subject];
  for (const [i, { subject, deadLettersOf }] of stream.publishers.entries()) {
    if (!deadLettersOf) yield [`publishers[${i}].subject`, subject];
  }
  for (const [i, { filterSubject }] of stream.sources.entries()) {
    if (filterSubject) yield [`sources[${i}].filterSubject`, filterSubject];
  }
  if (stream.mirror?.filterSubject) yield ["mirror.filterSubject", stream.mirror.filterSubject];
  for (const [i, filter] of stream.consumers.entries()) {
    if (filter.filterSubject) yield [`consumers[${i}].filterSubject`, filter.filterSubject];
    for (const [j, subject] of (filter.filterSubjects ?? []).entries())
      yield [`consumers[${i}].filterSubjects[${j}]`, subject];
  }
  if (stream.deadLetters) yield ["deadLetters", stream.deadLetters];
}

/**
 * The server looks at subjects and at lists of filters, and takes a wildcard inside a token for text. A single filter is part of
 * the request's own subject, which then reaches nobody.
 */
const refusedBy = (path: string, fault: string): { readonly errCode?: number } =>
  /^(subjects\b|consumers\[\d+\]\.filterSubjects)/.test(path) && !fault.startsWith("has a wildcard inside")
    ? { errCode: 10052 }
    : {};

const invalidSubject: Rule<Model> = {
  code: "S010",
  severity: "error",
  title: "A subject that is none",
  reason:
    'The server refuses it (10052), and a "*" inside a token is taken literally: it matches nothing that anybody publishes.',
  hint: 'Tokens are separated by ".", "*" stands for one whole token, ">" for the rest and only at the end.',
  *check({ streams }) {
    for (const stream of streams) {
      for (const [path, subject] of subjectsOf(stream)) {
        const fault = subjectFault(subject);
        if (fault) yield { place: inStream(stream, path), says: `"${subject}" ${fault}`, ...refusedBy(path, fault) };
      }
    }
  },
};

const overlapInside: Rule<Model> = {
  code: "S011",
  severity: "error",
  title: "Two subjects of one stream overlap",
  reason: 'The server refuses the stream (10052, "subject ... overlaps with ...").',
  hint: "Keep the wider one.",
  *check({ streams }) {
    for (const stream of streams) {
      for (const [i, subject] of stream.subjects.entries()) {
        const other = stream.subjects.slice(0, i).find((earlier) => collide(earlier, subject));
        if (other) {
          yield { place: inStream(stream, `subjects[${i}]`), says: `"${subject}" overlaps "${other}"`, errCode: 10052 };
        }
      }
    }
  },
};

const overlapAcross: Rule<Model> = {
  code: "S012",
  severity: "error",
  title: "Two streams want the same subject",
  reason:
    "The server refuses the second stream (10065, naming neither): a message stored by one and refused by the other could not be " +
    "acknowledged (nats-server#2144).",
  hint:
    "Let one stream capture the subject and the other copy it: sources with filterSubject and no subjects of its own. Or give both " +
    "closed lists of subjects that share nothing; what is on neither list is then refused.",
  *check({ streams }) {
    const index = new SubjectIndex<Stream>();
    for (const stream of streams) {
      for (const [i, subject] of stream.subjects.entries()) {
        for (const other of index.colliding(subject)) {
          if (other.value === stream) continue;
          yield {
            place: inStream(stream, `subjects[${i}]`),
            says: `"${subject}" overlaps "${other.subject}" of ${other.value.name} (${other.value.file})`,
            errCode: 10065,
          };
        }
      }
      for (const subject of stream.subjects) index.add(subject, stream);
    }
  },
};

/** What the server keeps for itself, and the part of it that a stream may capture (nats-server >= 2.10.17). */
const RESERVED = [
  { subject: "$JS.>", except: "$JS.EVENT.>" },
  { subject: "$JSC.>" },
  { subject: "$NRG.>" },
  { subject: "$SYS.>", except: "$SYS.ACCOUNT.>" },
] as const;

const reservedSubject: Rule<Model> = {
  code: "S013",
  severity: "error",
  title: "A subject of the server's own",
  reason:
    "A stream that captures API or raft subjects acknowledges requests meant for the server and breaks it (nats-server#3531, #4882). The server " +
    "refuses it since 2.10.17, unless noAck is set: then it stores every request, its own included.",
  hint: "Capture $JS.EVENT.> or $SYS.ACCOUNT.> at most, and nothing that begins with a wildcard.",
  *check({ streams }) {
    for (const stream of streams) {
      for (const [i, subject] of stream.subjects.entries()) {
        const hit = RESERVED.find(
          ({ subject: reserved, ...rest }) =>
            collide(reserved, subject) && !("except" in rest && covers(rest.except, subject)),
        );
        if (hit) {
          const says = `"${subject}" reaches into ${hit.subject}`;
          yield { place: inStream(stream, `subjects[${i}]`), says, ...(stream.noAck ? {} : { errCode: 10052 }) };
        }
      }
    }
  },
};

const uncapturedPublish: Rule<Model> = {
  code: "S014",
  severity: "error",
  title: "A publish that no stream captures",
  reason: 'A JetStream publish is refused ("no responders", 503), and a core publish is lost without a word.',
  hint: "Widen the subjects of the stream, or declare the publisher at the stream that captures it.",
  *check({ streams }) {
    const captor = (subject: string) => streams.find((stream) => isCaptured(subject, stream.subjects));
    for (const stream of streams) {
      for (const [i, { subject, deadLettersOf }] of stream.publishers.entries()) {
        if (deadLettersOf || isCaptured(subject, stream.subjects)) continue;
        const other = captor(subject);
        yield {
          place: inStream(stream, `publishers[${i}].subject`),
          says: other ? `"${subject}" is captured by ${other.name}, not here` : `"${subject}" is captured by no stream`,
        };
      }
      const { deadLetters } = stream;
      if (deadLetters && !captor(deadLetters)) {
        yield { place: inStream(stream, "deadLetters"), says: `"${deadLetters}" is captured by no stream` };
      }
    }
  },
};

const idleFilter: Rule<Model> = {
  code: "S015",
  severity: "error",
  title: "A filter that can match nothing",
  reason:
    "Since 2.10 the server takes any filter: a misspelt one is a consumer or a copy that stays empty for ever, without an error.",
  hint: "Filter for a subject that the stream holds.",
  *check(model) {
    for (const stream of model.streams) {
      const held = heldSubjects(stream, model);
      for (const consumer of stream.consumers) {
        for (const filter of filtersOf(consumer).filter((one) => !canMatch(one, held))) {
          const says = `filters for "${filter}", but ${stream.name} holds ${held.join(", ")}`;
          yield { place: inConsumer(stream, consumer), says };
        }
      }
      for (const origin of originsOf(stream)) {
        const holder = model.streams.find(({ name }) => name === origin.name);
        const theirs = holder ? heldSubjects(holder, model) : [">"];
        for (const [setting, filter] of originFilters(origin)) {
          if (!canMatch(filter, theirs)) {
            yield {
              place: inOrigin(stream, origin, setting),
              says: `"${filter}" matches nothing in ${origin.name} (${theirs.join(", ")})`,
            };
          }
        }
      }
      for (const setting of ["subjectTransform", "republish"] as const) {
        const src = stream[setting]?.src;
        if (src !== undefined && !canMatch(src, held)) {
          yield {
            place: inStream(stream, `${setting}.src`),
            says: `"${src}" matches nothing in ${stream.name} (${held.join(", ")})`,
          };
        }
      }
    }
  },
};

/** What an origin is filtered by: one subject, or the sources of its transforms. */
const originFilters = ({ filterSubject, subjectTransforms = [] }: StreamOrigin): (readonly [string, string])[] => [
  ...(filterSubject ? [["filterSubject", filterSubject] as const] : []),
  ...subjectTransforms.map(({ src }, i) => [`subjectTransforms[${i}].src`, src] as const),
];

export const subjectRules = [
  invalidSubject,
  overlapInside,
  overlapAcross,
  reservedSubject,
  uncapturedPublish,
  idleFilter,
];
