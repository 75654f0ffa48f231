/** Since which version servers know a field, or a value of it. What is not here is older than every version that we run on. */
import { atLeast, type Version } from "./version.ts";

/** A field that a server does not know. */
export interface NewerField {
  readonly field: string;
  /** Where the field is known, and this value of it is not. */
  readonly value?: string;
  readonly since: string;
}

/** In the words of definitions. Source: ADR-44 (API levels) and whats_new_2xx.md. */
const STREAM_FIELDS: readonly NewerField[] = [
  { field: "allowMsgTtl", since: "2.11" },
  { field: "subjectDeleteMarkerTtl", since: "2.11" },
  { field: "allowMsgCounter", since: "2.12" },
  { field: "allowAtomic", since: "2.12" },
  { field: "allowMsgSchedules", since: "2.12" },
  { field: "persistMode", since: "2.12" },
  { field: "allowBatched", since: "2.14" },
];
const CONSUMER_FIELDS: readonly NewerField[] = [
  { field: "priorityGroups", since: "2.11" },
  { field: "priorityPolicy", since: "2.11" },
  { field: "priorityTimeout", since: "2.11" },
  { field: "priorityPolicy", value: "prioritized", since: "2.12" },
  { field: "ackPolicy", value: "flow_control", since: "2.14" },
];

/**
 * What of a stream or consumer `version` does not know. A field counts where it is said at all: servers since 2.12 refuse the
 * name of a field that they do not know, whatever its value.
 * @param saidOf what is said of a field, undefined where nothing is
 */
export const newerFields = (
  kind: "stream" | "consumer",
  saidOf: (field: string) => unknown,
  version: Version,
): NewerField[] =>
  (kind === "stream" ? STREAM_FIELDS : CONSUMER_FIELDS).filter(({ field, value, since }) => {
    const said = saidOf(field);
    return said !== undefined && (value === undefined || said === value) && !atLeast(version, since);
  });
