/** What is said about another stream that this one copies, and what the server makes of it. */
import { isInstant } from "../../model/instant.ts";
import type { Model } from "../../model/resolve.ts";
import type { StreamOrigin } from "../../model/stream.ts";
import { collide, covers, subjectFault } from "../../model/subject.ts";
import { originsOf } from "../../model/traffic.ts";
import { inOrigin } from "../place.ts";
import type { Rule } from "../rule.ts";
import { checkOrigins, type Row, type SeenOrigin } from "./rows.ts";

const isPublishable = (subject: string): boolean =>
  subjectFault(subject) === undefined && !subject.split(".").some((token) => token === "*" || token === ">");

/** What the server tells sources apart by (composeIName): not by where they start. */
const identity = ({ name, external, filterSubject = ">", subjectTransforms = [] }: StreamOrigin): string =>
  JSON.stringify([name, external?.api, subjectTransforms.length > 0 ? subjectTransforms : filterSubject]);

/** Both sources of the first two transforms for which `clash` holds. */
const pair = (
  { subjectTransforms = [] }: StreamOrigin,
  clash: (a: string, b: string) => boolean,
): string | undefined => {
  const sources = subjectTransforms.map(({ src }) => src);
  const found = sources.flatMap((a, i) =>
    sources.filter((b, j) => j > i && clash(a, b)).map((b) => `"${a}" and "${b}"`),
  );
  return found[0];
};

/** The code that a source gets, or the one that a mirror gets. */
const of = (mirrored: boolean, row: Omit<Row<SeenOrigin>, "what"> & { readonly what: string }): Row<SeenOrigin> => ({
  ...row,
  what: `${mirrored ? "mirror" : "source"} ${row.what}`,
  when: (seen) => seen.mirrors === mirrored && row.when(seen),
});

const filterAndTransforms = (mirrored: boolean, errCode: number) =>
  of(mirrored, {
    at: "filterSubject",
    what: "with filterSubject and subjectTransforms",
    why: "the source of a transform is a filter already",
    errCode,
    when: ({ origin }) => origin.filterSubject !== undefined && (origin.subjectTransforms ?? []).length > 0,
  });
const badName = (mirrored: boolean, errCode: number) =>
  of(mirrored, {
    at: "name",
    what: "with a name that no stream can have",
    why: "names have no white space and none of . * > / \\",
    errCode,
    // The name of another account's stream is not looked at in a mirror.
    when: ({ origin: { name, external } }) =>
      /[\s.*>\\/]/.test(name) && !(mirrored && external !== undefined) && `"${name}"`,
  });

const ORIGIN_ROWS: readonly Row<SeenOrigin>[] = [
  badName(false, 10141),
  badName(true, 10142),
  filterAndTransforms(false, 10144),
  filterAndTransforms(true, 10150),
  of(false, {
    at: "subjectTransforms",
    what: "with transforms of which one covers another",
    why: "a message would be copied twice",
    errCode: 10147,
    when: ({ origin }) => pair(origin, (a, b) => covers(a, b) || covers(b, a)) ?? false,
  }),
  of(true, {
    at: "subjectTransforms",
    what: "with transforms that overlap",
    why: "a message would be copied twice",
    errCode: 10152,
    when: ({ origin }) => pair(origin, collide) ?? false,
  }),
  of(false, {
    at: "name",
    what: "twice, with the same filter and transforms",
    why: "where they start does not make them two",
    errCode: 10140,
    when: ({ stream: { sources }, origin }) => {
      const same = sources.find((other) => identity(other) === identity(origin));
      return same !== origin && `"${origin.name}" is there twice`;
    },
  }),
  {
    at: "external.api",
    what: "external.api that is no subject, or has a wildcard",
    why: "requests are published below it",
    errCode: 10052,
    when: ({ origin: { external } }) => external !== undefined && !isPublishable(external.api) && `"${external.api}"`,
  },
  {
    at: "external.api",
    what: "external.api of $JS.API",
    why: "that is this account itself",
    errCode: 10021,
    when: ({ origin: { external } }) => external?.api === "$JS.API",
  },
  {
    at: "external.deliver",
    what: "external.deliver that is no subject, or has a wildcard",
    why: "messages are delivered below it",
    errCode: 10024,
    when: ({ origin: { external } }) =>
      external?.deliver !== undefined && !isPublishable(external.deliver) && `"${external.deliver}"`,
  },
  {
    at: "external.deliver",
    what: "external.deliver within the subjects of another origin",
    why: "what is delivered there would be stored by that origin as well",
    errCode: 10022,
    when: ({ stream, model, origin: { external } }) => {
      const names = originsOf(stream).map(({ name }) => name);
      const subjects = model.streams.filter(({ name }) => names.includes(name)).flatMap((other) => other.subjects);
      const deliver = external?.deliver;
      const taken = subjects.find((subject) => deliver !== undefined && collide(subject, `${deliver}.${subject}`));
      return taken !== undefined && `"${deliver}" in "${taken}"`;
    },
  },
  {
    at: "optStartTime",
    what: "optStartTime that is no point in time",
    why: 'the server reads RFC 3339, for example "2026-01-02T03:04:05Z"',
    errCode: 10025,
    when: ({ origin: { optStartTime } }) =>
      optStartTime !== undefined && !isInstant(optStartTime) && `"${optStartTime}"`,
  },
  {
    at: "optStartTime",
    what: "optStartTime beside optStartSeq",
    why: "the server starts at the sequence and ignores the time",
    when: ({ origin: { optStartSeq, optStartTime } }) => optStartSeq !== undefined && optStartTime !== undefined,
  },
  {
    at: "name",
    what: "mirrorDirect other than the origin's allowDirect",
    why: "the server sets it to what the origin has, without a word",
    when: ({ stream, model, origin, mirrors }) => {
      const direct = model.streams.find(({ name }) => name === origin.name)?.allowDirect ?? false;
      const known = origin.external === undefined && model.streams.some(({ name }) => name === origin.name);
      return (
        mirrors &&
        known &&
        stream.mirrorDirect !== undefined &&
        stream.mirrorDirect !== direct &&
        `${stream.mirrorDirect} for ${direct}`
      );
    },
  },
];

const refusedOrigin: Rule<Model> = {
  code: "S028",
  severity: "error",
  title: "An origin that the server does not take as it is written",
  reason: "The server refuses the stream, or takes it and does something else without a word.",
  hint: "Name each origin once, with one filter or with transforms that share nothing.",
  rows: ORIGIN_ROWS,
  check: (model) => checkOrigins(ORIGIN_ROWS, model),
};

/** What the exporter 0.20.1 tells sources apart by (collector/jsz.go). */
const series = ({ name, external }: StreamOrigin): string => JSON.stringify([name, external?.api, external?.deliver]);

const sameSeries: Rule<Model> = {
  code: "S053",
  severity: "error",
  title: "Two sources of one origin",
  reason:
    "The server takes them, by their filters. The exporter tells sources apart by origin alone: it then writes one series twice and " +
    "answers 500, and of the server that leads the stream nothing is known any more, neither that it runs nor what it lacks " +
    "(exporter 0.20.1, seen).",
  hint: 'Name the origin once, with one of subjectTransforms for each filter: { src: "orders.created", dest: "orders.created" }.',
  *check({ streams }) {
    for (const stream of streams) {
      for (const [i, origin] of stream.sources.entries()) {
        const first = stream.sources.findIndex((other) => series(other) === series(origin));
        // With the same filter it is one source, which the server refuses (S028).
        if (first === i || stream.sources.some((other, j) => j < i && identity(other) === identity(origin))) continue;
        yield {
          place: inOrigin(stream, origin, "name"),
          says: `"${origin.name}" is the origin of sources[${first}] as well`,
        };
      }
    }
  },
};

export const originRules = [refusedOrigin, sameSeries];
