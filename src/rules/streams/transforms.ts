/** Messages that change their subject on the way: transforms, and what is published again. */
import { destinationPattern } from "../../model/capture.ts";
import type { Model } from "../../model/resolve.ts";
import type { Stream } from "../../model/stream.ts";
import { collide } from "../../model/subject.ts";
import { newerFunction, type TransformFault, transformFault } from "../../model/subject-transform.ts";
import { originsOf } from "../../model/traffic.ts";
import { atLeast, parseVersion, type Version } from "../../model/version.ts";
import { inStream } from "../place.ts";
import type { Finding, Rule, RuleRow } from "../rule.ts";

interface Mapping {
  readonly path: string;
  readonly src?: string;
  readonly dest: string;
  readonly errCodes: Codes;
}

/** What the server says to a bad source and to a bad destination. */
interface Codes {
  readonly src: number;
  readonly dest: number;
  /** Of these 2.10 knows none: it says 10049 (stream create failed). */
  readonly newer: readonly ("src" | "dest")[];
}

const IN_STREAM: Codes = { src: 10155, dest: 10156, newer: ["src", "dest"] };
const IN_SOURCE: Codes = { src: 10145, dest: 10146, newer: ["dest"] };
const IN_MIRROR: Codes = { src: 10151, dest: 10154, newer: ["dest"] };
const IN_REPUBLISH: Codes = { src: 10052, dest: 10052, newer: [] };

const versionOf = ({ environment }: Model) => parseVersion(environment.images.nats.tag);

/** Whether the server is of the 2.10 line, which checks transforms elsewhere. */
function isOld(model: Model): boolean {
  const version = versionOf(model);
  return version !== undefined && !atLeast(version, "2.11");
}

/** What is wrong with a mapping on this version. */
function mappingFault({ path, src, dest }: Mapping, version: Version | undefined): TransformFault | undefined {
  const fault = transformFault(src, dest);
  if (fault || !version) return fault;
  const says = newerFunction(dest, version, path === "republish");
  return says === undefined ? undefined : { end: "dest", says };
}

/** Every mapping of a stream. */
function* mappingsOf({ subjectTransform, sources, mirror, republish }: Stream): Generator<Mapping> {
  if (subjectTransform) yield { path: "subjectTransform", ...subjectTransform, errCodes: IN_STREAM };
  for (const [i, { subjectTransforms = [] }] of sources.entries()) {
    for (const [j, transform] of subjectTransforms.entries()) {
      yield { path: `sources[${i}].subjectTransforms[${j}]`, ...transform, errCodes: IN_SOURCE };
    }
  }
  for (const [j, transform] of (mirror?.subjectTransforms ?? []).entries()) {
    yield { path: `mirror.subjectTransforms[${j}]`, ...transform, errCodes: IN_MIRROR };
  }
  if (republish) yield { path: "republish", ...republish, errCodes: IN_REPUBLISH };
}

const TRANSFORM_ROWS: readonly RuleRow[] = [
  { what: "subjectTransform.src", why: "no subject", errCode: 10155, since: "2.11" },
  { what: "subjectTransform.dest", why: "cannot be made from the source", errCode: 10156, since: "2.11" },
  { what: "sources[].subjectTransforms[].src", why: "no subject", errCode: 10145 },
  { what: "sources[].subjectTransforms[].dest", why: "cannot be made from the source", errCode: 10146, since: "2.11" },
  { what: "mirror.subjectTransforms[].src", why: "no subject", errCode: 10151 },
  { what: "mirror.subjectTransforms[].dest", why: "cannot be made from the source", errCode: 10154, since: "2.11" },
  {
    what: "republish",
    why: "one of the two is no subject, or the second cannot be made from the first",
    errCode: 10052,
  },
];

const badTransform: Rule<Model> = {
  code: "S016",
  severity: "error",
  title: "A subject transform that the server refuses",
  reason:
    "The destination is made of the source: its functions number the source's wildcards from 1, and both end in > or neither does. 2.10 says 10049 " +
    "to most of these. A transform may use random since 2.12, left and right since 2.14.7.",
  hint: 'For example src "orders.*.>" and dest "by-country.{{wildcard(1)}}.>".',
  rows: TRANSFORM_ROWS,
  *check(model) {
    const version = versionOf(model);
    for (const stream of model.streams) {
      for (const mapping of mappingsOf(stream)) {
        const fault = mappingFault(mapping, version);
        if (!fault) continue;
        const { path, errCodes } = mapping;
        const errCode = errCodes.newer.includes(fault.end) && isOld(model) ? 10049 : errCodes[fault.end];
        yield { place: inStream(stream, `${path}.${fault.end}`), says: fault.says, errCode };
      }
    }
  },
};

/** Where messages of a stream are published again. Since 2.11 ">" to ">" follows the transform of the only subject. */
function republishedTo({ republish, subjectTransform, subjects }: Stream, model: Model): string | undefined {
  const follows =
    !isOld(model) &&
    republish?.dest === ">" &&
    (republish.src ?? ">") === ">" &&
    subjects.length === 1 &&
    subjects[0] === subjectTransform?.src;
  return follows ? subjectTransform?.dest : republish?.dest;
}

const REPUBLISH_ROWS: readonly RuleRow[] = [
  { what: "into the stream's own subjects", why: "each message would be stored again and again", errCode: 10052 },
  {
    what: "into another stream, and from there back",
    why: "the server sees one stream at a time and takes both",
  },
];

/** Messages on `pattern`, lying in `stream`; `path` is where they have been. */
interface Held {
  readonly stream: Stream;
  readonly pattern: string;
  readonly path: readonly string[];
}

/** Where what is held gets next: published again into other streams, or copied by them. */
function* onward({ stream, pattern, path }: Held, model: Model): Generator<Held> {
  const further = [...path, stream.name];
  const dest = republishedTo(stream, model);
  if (dest !== undefined && collide(stream.republish?.src ?? ">", pattern)) {
    const again = destinationPattern(dest);
    for (const other of model.streams.filter(({ subjects }) => subjects.some((subject) => collide(again, subject)))) {
      for (const stored of renamed(again, [other.subjectTransform]))
        yield { stream: other, pattern: stored, path: further };
    }
  }
  for (const sink of model.streams) {
    for (const { name, filterSubject = ">", subjectTransforms } of originsOf(sink)) {
      if (name !== stream.name || !collide(filterSubject, pattern)) continue;
      for (const stored of renamed(pattern, subjectTransforms)) yield { stream: sink, pattern: stored, path: further };
    }
  }
}

/** What messages on `pattern` are called after `transforms`; what none of them matches keeps its name. */
const renamed = (
  pattern: string,
  transforms: readonly (Stream["subjectTransform"] | undefined)[] = [],
): readonly string[] => [
  pattern,
  ...transforms.flatMap((transform) =>
    transform && collide(transform.src, pattern) ? [destinationPattern(transform.dest)] : [],
  ),
];

/** Names of the streams by which what `start` publishes again comes back to be published again, or undefined. */
function loopFrom(start: Stream, model: Model): readonly string[] | undefined {
  const src = start.republish?.src ?? ">";
  const open = [...onward({ stream: start, pattern: src, path: [] }, model)];
  const seen = new Set<string>();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { stream, pattern, path } = next;
    if (stream === start && collide(src, pattern)) return path;
    const key = `${stream.name} ${pattern}`;
    if (!seen.has(key)) open.push(...onward(next, model));
    seen.add(key);
  }
  return undefined;
}

const republishLoop: Rule<Model> = {
  code: "S017",
  severity: "error",
  title: "Messages that are published again into where they come from",
  reason:
    "Each message makes a hundred more before the server stops it (seen on 2.12 to 2.15), and they drive out everything else. Within one stream the " +
    "server refuses it.",
  hint: "Publish again to subjects that no stream on the way captures.",
  rows: REPUBLISH_ROWS,
  *check(model): Generator<Finding> {
    for (const stream of model.streams.filter(({ republish }) => republish)) {
      const place = inStream(stream, "republish.dest");
      const dest = republishedTo(stream, model) ?? "";
      const own = stream.subjects.find((subject) => collide(dest, subject));
      if (own) yield { place, says: `"${dest}" comes back by "${own}"`, errCode: 10052 };
      const path = own ? undefined : loopFrom(stream, model);
      if (path) yield { place, says: `"${dest}" comes back by ${path.slice(1).join(", ")}` };
    }
  },
};

export const transformRules = [badTransform, republishLoop];
