/** Key-value buckets and object stores: streams under the names and settings that every NATS client expects (ADR-8, ADR-20). */
import type { ByteSize, Duration } from "../units.ts";
import type { StreamInput } from "./stream.ts";

interface Shared {
  /** Letters, digits, _ and -. */
  readonly bucket: string;
  readonly description?: string;
  readonly storage?: "file" | "memory";
  readonly replicas?: number;
  readonly maxBytes?: ByteSize;
  /** How long an entry lives. @default for ever */
  readonly ttl?: Duration;
  readonly compression?: "none" | "s2";
  readonly placement?: NonNullable<StreamInput["placement"]>;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly publishers?: NonNullable<StreamInput["publishers"]>;
  /** Services that read it and do not write. */
  readonly readers?: readonly string[];
  /** What differs per environment. */
  readonly in?: Readonly<Record<string, Figures>>;
}
interface Figures {
  readonly replicas?: number;
  readonly maxBytes?: ByteSize;
  readonly ttl?: Duration;
}

export interface BucketInput extends Shared {
  /** Values kept per key, 1 to 64. @default 1 */
  readonly history?: number;
  readonly maxValueSize?: ByteSize;
  /** How long a marker stands for a key whose value expired: watchers see that it is gone (2.11). @default no markers */
  readonly markerTtl?: Duration;
  /** Where each new value is published to as well. */
  readonly republish?: NonNullable<StreamInput["republish"]>;
  /** The bucket that this one is a copy of. Nobody puts values here; clients go on asking for that bucket, and this copy answers too. */
  readonly mirrorOf?: string;
  /** False for a bucket that nats.js 2 made: once true it is so for ever. @default true */
  readonly denyDelete?: boolean;
}
export type ObjectStoreInput = Shared;

/**
 * A key-value bucket `B` is the stream `KV_B` on `$KV.B.>`. No duplicateWindow: the server takes two minutes, or the ttl if
 * that is shorter. denyDelete as Go, the command line and Terraform have it; nats.js 2 leaves it out, and it cannot be taken back.
 */
export const defineBucket = ({
  history = 1,
  maxValueSize,
  markerTtl,
  mirrorOf,
  denyDelete = true,
  ...bucket
}: BucketInput): StreamInput => ({
  ...common(bucket),
  kind: "kv",
  name: `KV_${bucket.bucket}`,
  ...(mirrorOf ? { mirror: { name: `KV_${mirrorOf}` }, mirrorDirect: true } : { subjects: [`$KV.${bucket.bucket}.>`] }),
  maxMsgsPerSubject: history,
  ...(maxValueSize ? { maxMsgSize: maxValueSize } : {}),
  ...(markerTtl ? { allowMsgTtl: true, subjectDeleteMarkerTtl: markerTtl } : {}),
  ...(denyDelete ? { denyDelete } : {}),
});

/** An object store `B` is the stream `OBJ_B`: chunks on `$O.B.C.>`, what they belong to on `$O.B.M.>`. */
export const defineObjectStore = (store: ObjectStoreInput): StreamInput => ({
  ...common(store),
  kind: "object-store",
  name: `OBJ_${store.bucket}`,
  subjects: [`$O.${store.bucket}.C.>`, `$O.${store.bucket}.M.>`],
});

const common = ({ bucket: _, ttl, in: overlays, ...rest }: Shared) => ({
  ...rest,
  ...(ttl ? { maxAge: ttl } : {}),
  discard: "new" as const,
  allowRollupHdrs: true,
  allowDirect: true,
  ...(overlays
    ? {
        in: Object.fromEntries(
          Object.entries(overlays).map(([name, { ttl: age, ...figures }]) => [
            name,
            { ...figures, ...(age ? { maxAge: age } : {}) },
          ]),
        ),
      }
    : {}),
});
