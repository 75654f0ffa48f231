/** Values of a stream that are out of what the server takes, or that it takes for something else. */
import { clusterName } from "../../kubernetes/names.ts";
import type { Model } from "../../model/resolve.ts";
import { atLeast, parseVersion } from "../../model/version.ts";
import { formatBytes, formatDuration, KiB, nanoseconds } from "../../units.ts";
import { inConsumer, inStream } from "../place.ts";
import type { Rule } from "../rule.ts";
import { checkStreams, type Row, type SeenStream } from "./rows.ts";

/** JSMaxDescriptionLen. */
export const DESCRIPTION_BYTES = 4_096;
/** JSMaxMetadataLen, less what this tool adds: whose the stream is and what data it holds. */
export const METADATA_BYTES = 124 * KiB;

export const metadataBytes = (metadata: Readonly<Record<string, string>> = {}): number =>
  Object.entries(metadata).reduce((sum, entry) => sum + Buffer.byteLength(entry.join("")), 0);

const shortest = nanoseconds("100ms");
const shorter = (ns: number | undefined, least: number) => ns !== undefined && ns > 0 && ns < least;

const VALUE_ROWS: readonly Row<SeenStream>[] = [
  {
    at: "maxAge",
    what: "maxAge below 100ms",
    why: "the server takes no shorter age",
    errCode: 10052,
    when: ({ stream: { maxAge } }) => shorter(maxAge, shortest) && `${formatDuration(maxAge)} is below 100ms`,
  },
  {
    at: "duplicateWindow",
    what: "duplicateWindow below 100ms",
    why: "the server takes no shorter window",
    errCode: 10052,
    when: ({ stream: { duplicateWindow = 0 } }) =>
      shorter(duplicateWindow, shortest) && `${formatDuration(duplicateWindow)} is below 100ms`,
  },
  {
    at: "duplicateWindow",
    what: "duplicateWindow of 0s",
    why: "to the server that is unset, and means two minutes (or maxAge, if that is shorter); there is no way to have none",
    when: ({ stream: { duplicateWindow, mirror } }) => duplicateWindow === 0 && mirror === undefined,
  },
  {
    at: "subjectDeleteMarkerTtl",
    what: "subjectDeleteMarkerTtl below 1s",
    why: "the server takes no shorter life",
    errCode: 10052,
    since: "2.11",
    when: ({ stream: { subjectDeleteMarkerTtl = 0 } }) =>
      shorter(subjectDeleteMarkerTtl, nanoseconds("1s")) && `${formatDuration(subjectDeleteMarkerTtl)} is below 1s`,
  },
  {
    at: "maxConsumers",
    what: "maxConsumers below the number of consumers declared",
    why: "the last of them are refused",
    errCode: 10026,
    when: ({ stream: { maxConsumers, consumers } }) =>
      maxConsumers > 0 && consumers.length > maxConsumers && `${maxConsumers} for ${consumers.length} consumers`,
  },
  {
    at: "description",
    what: "description of more than 4 KiB",
    why: "the server keeps no more",
    errCode: 10052,
    when: ({ stream: { description = "" } }) => Buffer.byteLength(description) > DESCRIPTION_BYTES,
  },
  {
    at: "metadata",
    what: "metadata of more than 124 KiB",
    why: "the server keeps 128 KiB, and some of it says whose the stream is and what data it holds",
    errCode: 10052,
    when: ({ stream: { metadata } }) =>
      metadataBytes(metadata) > METADATA_BYTES && formatBytes(metadataBytes(metadata)),
  },
];

const outOfRange: Rule<Model> = {
  code: "S039",
  severity: "error",
  title: "A value that the server does not take",
  reason: "The server refuses the stream, or takes the value for another one without a word.",
  hint: "Use a value in range, or leave the setting out.",
  rows: VALUE_ROWS,
  check: (model) => checkStreams(VALUE_ROWS, model),
};

const PLACEMENT_ROWS: readonly Row<SeenStream>[] = [
  {
    at: "placement.cluster",
    what: "a cluster that is not this one",
    why: "only this cluster's servers can be asked",
    errCode: 10005,
    when: ({ stream: { placement }, model: { environment } }) =>
      environment.nats.servers > 1 &&
      placement?.cluster !== undefined &&
      placement.cluster !== clusterName(environment) &&
      `"${placement.cluster}" is not ${clusterName(environment)}`,
  },
  {
    at: "placement.tags",
    what: "tags that no server has",
    why: "nats.conf gives servers no server_tags, so none is suitable; a tag with ! before it excludes (2.12)",
    errCode: 10005,
    when: ({ stream: { placement }, model: { environment } }) => {
      const version = parseVersion(environment.images.nats.tag);
      const excludes = !version || atLeast(version, "2.12");
      const wanted = (placement?.tags ?? []).filter((tag) => !(excludes && tag.startsWith("!")));
      return environment.nats.servers > 1 && wanted.length > 0 && wanted.join(", ");
    },
  },
];

const nowhere: Rule<Model> = {
  code: "S064",
  severity: "error",
  title: "A placement that no server fulfils",
  reason: "The server refuses the stream: no suitable peers for placement.",
  hint: "Leave placement out: every server of an environment is alike.",
  rows: PLACEMENT_ROWS,
  check: (model) => checkStreams(PLACEMENT_ROWS, model),
};

const sealed: Rule<Model> = {
  code: "S065",
  severity: "warning",
  title: "A sealed stream cannot be created",
  reason:
    "Sealing is an update of a stream that is there: where it is not yet, or no longer, the server refuses to create it sealed.",
  hint: "For a stream that is not there, apply it without sealed first.",
  *check({ streams }) {
    for (const stream of streams) {
      if (stream.sealed) yield { place: inStream(stream, "sealed"), says: "is true", errCode: 10052 };
    }
  },
};

const foreignMetadata: Rule<Model> = {
  code: "S066",
  severity: "error",
  title: "Metadata under a name of somebody else",
  reason:
    "_nats.* is the server's, which overwrites it; circl.dev/* is what stream-sync knows its own streams and consumers by: another value there, and it " +
    "takes them for somebody else's.",
  hint: "Use another name.",
  *check({ streams }) {
    const foreign = (metadata: Readonly<Record<string, string>> = {}) =>
      Object.keys(metadata).filter((key) => /^(_nats\.|circl\.dev\/)/.test(key));
    for (const stream of streams) {
      for (const key of foreign(stream.metadata)) yield { place: inStream(stream, "metadata"), says: `has "${key}"` };
      for (const consumer of stream.consumers) {
        const place = inConsumer(stream, consumer, "metadata");
        for (const key of foreign(consumer.metadata)) yield { place, says: `has "${key}"` };
      }
    }
  },
};

const firstSequence: Rule<Model> = {
  code: "S067",
  severity: "error",
  title: "A first sequence on a server that empties the stream",
  reason:
    "Before 2.10.29 a file stream with a first sequence loses every message at a restart while its first message is still there (seen on 2.10.27).",
  hint: "Use a newer server, or leave firstSeq out.",
  *check({ streams, environment }) {
    const { tag } = environment.images.nats;
    const version = parseVersion(tag);
    for (const stream of version && !atLeast(version, "2.10.29") ? streams : []) {
      if (stream.firstSeq && stream.storage === "file") {
        yield { place: inStream(stream, "firstSeq"), says: `is ${stream.firstSeq} on ${tag}` };
      }
    }
  },
};

const fleeting: Rule<Model> = {
  code: "S068",
  severity: "warning",
  title: "A memory stream on one server",
  reason:
    "Its messages are gone when that server restarts. Where it is the only server, so are the stream and its consumers: publishers find nobody until " +
    "somebody applies the definitions again.",
  hint: 'Use storage "file", or three replicas.',
  *check({ streams }) {
    for (const stream of streams) {
      if (stream.storage === "memory" && stream.replicas === 1) {
        yield { place: inStream(stream, "storage"), says: 'is "memory" on one server' };
      }
    }
  },
};

export const limitRules = [outOfRange, nowhere, sealed, foreignMetadata, firstSequence, fleeting];
