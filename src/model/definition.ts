/**
 * What the compiler refuses: settings of which the server takes one. An environment of `in` can still bring two together, and
 * numbers, names and other streams say more than types can see: rules (S) check all of it again.
 */
import type { ConsumerInput, StreamInput } from "./stream.ts";

/** Settings that are not there. */
type Without<Key extends string> = { readonly [key in Key]?: never };
/** Flags that are not set. */
type Off<Key extends string> = { readonly [key in Key]?: false };

/** A mirror takes everything from its origin (S060). */
type Capture =
  | Without<"mirror">
  | (Without<"subjects" | "sources" | "firstSeq" | "subjectDeleteMarkerTtl"> &
      Off<"allowMsgCounter" | "allowMsgSchedules" | "allowAtomic" | "allowBatched">);
/** Roll-ups purge (S063). */
type Purge = Off<"denyPurge"> | (Off<"allowRollupHdrs" | "allowMsgSchedules"> & Without<"subjectDeleteMarkerTtl">);
type Counter =
  | Off<"allowMsgCounter">
  | ({ readonly discard?: "old"; readonly retention?: "limits" } & Off<"allowMsgTtl" | "allowMsgSchedules"> &
      Without<"subjectDeleteMarkerTtl">);
type Schedules = Off<"allowMsgSchedules"> | { readonly discard?: "old"; readonly sources?: readonly [] };
type Persistence =
  | { readonly persistMode?: "default" }
  | ({ readonly storage?: "file"; readonly replicas?: 1 } & Off<"allowAtomic">);
type Exclusive = Capture & Purge & Counter & Schedules & Persistence;

/** What one setting needs beside it; in an environment it may stand in the base. */
type Complete = (Off<"discardNewPerSubject"> | { readonly discard: "new" }) &
  (Off<"mirrorDirect"> | { readonly mirror: object });

type Figures = NonNullable<StreamInput["in"]>[string];

/** A stream as defineStream takes it. */
export type StreamDefinition = Omit<StreamInput, "in" | "consumers"> &
  Exclusive &
  Complete & {
    readonly consumers?: readonly ConsumerDefinition[];
    readonly in?: Readonly<Record<string, Figures & Exclusive>>;
  };

/** One filter or several (S043). */
type Filter = Without<"filterSubject"> | Without<"filterSubjects">;
/** A policy, and exactly the start that it needs (S044). */
type Start =
  | ({ readonly deliverPolicy?: "all" | "last" | "new" } & Without<"optStartSeq" | "optStartTime">)
  | ({ readonly deliverPolicy: "by_start_sequence"; readonly optStartSeq: number } & Without<"optStartTime">)
  | ({ readonly deliverPolicy: "by_start_time"; readonly optStartTime: string } & Without<"optStartSeq">)
  | ({ readonly deliverPolicy: "last_per_subject" } & Without<"optStartSeq" | "optStartTime"> &
      ({ readonly filterSubject: string } | { readonly filterSubjects: readonly string[] }));

/** Flow control asks for more, and needs heartbeats to be asked again (S048). Push or pull is ConsumerInput's to say. */
type Flow = Off<"flowControl"> | { readonly idleHeartbeat: string };

/** A policy and the groups that it is for (S049). */
type Priority =
  | Without<"priorityPolicy" | "priorityGroups" | "priorityTimeout">
  | ({
      readonly priorityPolicy: "overflow" | "prioritized";
      readonly priorityGroups: SomeGroups;
    } & Without<"priorityTimeout">)
  | { readonly priorityPolicy: "pinned_client"; readonly priorityGroups: SomeGroups };
type SomeGroups = readonly [string, ...string[]];

/** Acknowledged by flow control, nothing is delivered again, so nothing says when (S052). */
type Acknowledgement =
  | { readonly ackPolicy?: "explicit" | "all" | "none" }
  | ({
      readonly ackPolicy: "flow_control";
      readonly deliverSubject: string;
      readonly flowControl?: true;
      readonly idleHeartbeat?: "1s";
    } & Without<"ackWait" | "backoff" | "maxDeliver">);

/** A consumer as defineConsumer takes it. */
export type ConsumerDefinition = ConsumerInput & Filter & Start & Flow & Priority & Acknowledgement;
