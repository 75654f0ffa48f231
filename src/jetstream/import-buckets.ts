/** Buckets and object stores that clients made, in the words of defineBucket and defineObjectStore. */
import { isDeepStrictEqual } from "node:util";
import { type BucketInput, defineBucket, defineObjectStore, type ObjectStoreInput } from "../model/bucket.ts";
import type { StreamInput } from "../model/stream.ts";

/** What to call, and with what. */
export type ImportedBucket =
  | { readonly define: "defineBucket"; readonly input: BucketInput }
  | { readonly define: "defineObjectStore"; readonly input: ObjectStoreInput };

/**
 * The bucket that `stream`, as it was imported, is to its clients; undefined for a plain stream. One that has settings which no
 * client gives a bucket stays a stream, with its kind: `circl check` then says what is strange about it (S019).
 */
export function importBucket(
  stream: StreamInput,
): { readonly definition: StreamInput; readonly bucket?: ImportedBucket } | undefined {
  const [, prefix, name] = /^(KV|OBJ)_(.+)$/.exec(String(stream.name)) ?? [];
  if (!prefix || !name) return undefined;
  const bucket: ImportedBucket =
    prefix === "KV"
      ? { define: "defineBucket", input: { ...sharedOf(name, stream), ...ownOf(stream) } }
      : { define: "defineObjectStore", input: sharedOf(name, stream) };
  const definition = bucket.define === "defineBucket" ? defineBucket(bucket.input) : defineObjectStore(bucket.input);
  return isDeepStrictEqual(asImported(definition), asImported(stream))
    ? { definition, bucket }
    : { definition: { ...stream, kind: prefix === "KV" ? "kv" : "object-store" } };
}

/** In the order in which they are printed. */
const sharedOf = (bucket: string, stream: StreamInput): ObjectStoreInput => {
  const { description, storage, replicas, maxBytes, maxAge, compression, placement, metadata, publishers } = stream;
  return given({
    bucket,
    description,
    storage: storage === "memory" ? storage : undefined,
    replicas,
    maxBytes,
    ttl: maxAge,
    compression,
    placement,
    metadata,
    publishers,
  }) as ObjectStoreInput;
};

const ownOf = ({
  maxMsgsPerSubject,
  maxMsgSize,
  subjectDeleteMarkerTtl,
  republish,
  mirror,
  denyDelete,
}: StreamInput): Omit<BucketInput, "bucket"> =>
  given({
    history: maxMsgsPerSubject === 1 ? undefined : maxMsgsPerSubject,
    maxValueSize: maxMsgSize,
    markerTtl: subjectDeleteMarkerTtl,
    republish,
    mirrorOf: mirror?.name.replace(/^KV_/, ""),
    denyDelete: denyDelete ? undefined : false,
  });

const given = (fields: object): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/** What the server makes of a definition, as far as two that mean the same may differ. */
const asImported = ({ kind: _, mirrorDirect: __, ...stream }: StreamInput): object => ({
  retention: "limits",
  storage: "file",
  replicas: 1,
  ...stream,
});
