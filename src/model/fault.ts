/** Turns what the schema library found wrong into sentences with a place. */
import type * as v from "valibot";

/** A key that does not exist or a value of the wrong kind. */
export interface Fault {
  readonly kind: "unknown-key" | "wrong-value";
  readonly room: "environments" | "streams";
  /** For example `streams/iot.ts: circl_iot.maxBytes`. */
  readonly place: string;
  readonly says: string;
  /** The key itself and, for an unknown one, the keys that exist beside it. */
  readonly key: string;
  readonly known: readonly string[];
}

export type Locate = (path: string) => Pick<Fault, "room" | "place">;

export function toFault(issue: v.BaseIssue<unknown>, schema: v.GenericSchema, locate: Locate): Fault {
  const steps = issue.path ?? [];
  const path = steps
    .map(({ key }) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`))
    .join("")
    .replace(/^\./, "");
  const key = String(steps.at(-1)?.key ?? "");
  const base = { ...locate(path), key };
  if (issue.type === "strict_object" && issue.expected === "never") {
    return { ...base, kind: "unknown-key", says: "does not exist", known: keysAt(schema, steps.slice(0, -1)) };
  }
  const missing = issue.received === "undefined";
  const says =
    issue.type !== "strict_object" ? (missing ? "is missing" : issue.message) : missing ? "is missing" : "is no object";
  return { ...base, kind: "wrong-value", says, known: [] };
}

/** Keys of the object schema that `steps` lead to; empty where they lead through something else. */
function keysAt(schema: unknown, steps: readonly { readonly key: unknown }[]): string[] {
  type Inner = {
    entries?: Record<string, unknown>;
    item?: unknown;
    wrapped?: unknown;
    value?: unknown;
    options?: Inner[];
  };
  let node = schema as Inner | undefined;
  const unwrap = (inner: Inner | undefined): Inner | undefined =>
    inner?.wrapped ? unwrap(inner.wrapped as Inner) : inner;
  for (const { key } of steps) {
    node = unwrap(node);
    node = (node?.entries?.[String(key)] ?? node?.item ?? node?.value) as Inner | undefined;
  }
  node = unwrap(node);
  const variants = node?.options ?? [node ?? {}];
  return [...new Set(variants.flatMap((variant) => Object.keys(variant.entries ?? {})))];
}
