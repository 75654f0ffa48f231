/** Which fields two versions of an object differ in. */
import { isDeepStrictEqual } from "node:util";

export interface FieldDifference {
  /** Fields from the outside in; an item of a list by its name or its place. */
  readonly path: readonly string[];
  /** Missing where the field is new. */
  readonly from?: unknown;
  /** Missing where the field goes. */
  readonly to?: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

/** Every field that differs, as deep down as it can be named. Items of a list are compared by name where all have one. */
export function differences(from: unknown, to: unknown, path: readonly string[] = []): FieldDifference[] {
  if (isDeepStrictEqual(from, to)) return [];
  const pair = comparable(from, to);
  if (!pair) return [{ path, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }];
  const fields = [...new Set([...Object.keys(pair[0]), ...Object.keys(pair[1])])].sort();
  return fields.flatMap((field) => differences(pair[0][field], pair[1][field], [...path, field]));
}

/** Both as fields; undefined where they can only be compared as a whole. */
function comparable(from: unknown, to: unknown): readonly [Fields, Fields] | undefined {
  if (isFields(from) && isFields(to)) return [from, to];
  if (!Array.isArray(from) || !Array.isArray(to)) return undefined;
  const [before, after] = [byName(from), byName(to)];
  if (before && after) return [before, after];
  return from.length === to.length && from.every(isFields) && to.every(isFields) ? [{ ...from }, { ...to }] : undefined;
}

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Items under their names; undefined where one has none, or two have the same. */
function byName(items: readonly unknown[]): Fields | undefined {
  const entries = items.map((item) => {
    const { name, metadata } = isFields(item) ? item : {};
    return [name ?? (isFields(metadata) ? metadata.name : undefined), item] as const;
  });
  const names = entries.map(([name]) => name);
  if (names.some((name) => typeof name !== "string") || new Set(names).size < names.length) return undefined;
  return Object.fromEntries(entries) as Fields;
}

/** `spec.template.spec.containers.nats.image`, `data["nats.conf"]`. */
export const renderPath = (path: readonly string[]): string =>
  path.map((part, i) => (/^[\w-]+$/.test(part) ? `${i > 0 ? "." : ""}${part}` : `[${JSON.stringify(part)}]`)).join("");

/** Whether a difference lies in the field that `prefix` names, or above it. */
export const liesIn = ({ path }: FieldDifference, ...prefix: readonly string[]): boolean =>
  prefix.every((part, i) => i >= path.length || path[i] === part);
