/** The syntax of nats.conf. Values are typed, so that nothing is ever glued together from text. */

/** `$SERVER_NAME`: the server replaces it by the environment variable, parsed as configuration. */
export interface Variable {
  readonly variable: string;
}
/** Durations and sizes are quoted or bare as the server wants them: see `duration` and `byteSize`. */
export interface Bare {
  readonly bare: string;
}
/**
 * A bare directive that brings in a file; its key is for readers alone. A quoted `include` key is an unknown field, and the path is
 * always taken relative to the file (conf/parse.go).
 */
export interface Include {
  readonly include: string;
}
export type ConfigValue =
  | string
  | number
  | boolean
  | Variable
  | Bare
  | Include
  | readonly ConfigValue[]
  | { readonly [key: string]: ConfigValue };
export type ConfigBlock = { readonly [key: string]: ConfigValue };

/** Nanoseconds as the server reads them: "30s". Quoted, because bare durations are unknown to it. */
export const duration = (nanoseconds: number): string => `${nanoseconds / 1e9}s`;

/** Bytes as the server reads them: 8MiB. Bare: quoted sizes understand only K, M, G and T. */
export function byteSize(bytes: number): Bare {
  for (const [unit, size] of [
    ["GiB", 2 ** 30],
    ["MiB", 2 ** 20],
    ["KiB", 2 ** 10],
  ] as const) {
    if (bytes >= size && bytes % size === 0) return { bare: `${bytes / size}${unit}` };
  }
  return { bare: String(bytes) };
}

export const renderConfig = (config: ConfigBlock): string => `${renderBlock(config, "")}\n`;

/** What stands between the braces of a block, each line behind `indent`. */
export const renderBlock = (config: ConfigBlock, indent: string): string =>
  Object.entries(config).map(entry(indent)).join("\n");

const entry =
  (indent: string) =>
  ([key, value]: [string, ConfigValue]): string => {
    if (isInclude(value)) return `${indent}include ${value.include}`;
    return isBlock(value) ? `${indent}${key} ${render(value, indent)}` : `${indent}${key}: ${render(value, indent)}`;
  };

function render(value: ConfigValue, indent: string): string {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "string") return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const item = (one: ConfigValue) => inner + (onOneLine(one, inner) ?? render(one, inner));
    return value.length === 0 ? "[]" : `[\n${value.map(item).join("\n")}\n${indent}]`;
  }
  if (isVariable(value)) return `$${value.variable}`;
  if (isBare(value)) return value.bare;
  return `{\n${renderBlock(value as ConfigBlock, inner)}\n${indent}}`;
}

/** A list of many small blocks is read, and compared, one by a line. */
const LINE = 130;
function onOneLine(item: ConfigValue, indent: string): string | undefined {
  if (typeof item !== "object" || isVariable(item) || isBare(item) || isInclude(item)) return undefined;
  const text = inline(item);
  return indent.length + text.length <= LINE ? text : undefined;
}

function inline(value: ConfigValue): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (!isBlock(value)) return render(value, "");
  const entries = Object.entries(value).map(([key, inner]) => `${key}: ${inline(inner)}`);
  return `{ ${entries.join(", ")} }`;
}

const isVariable = (value: ConfigValue): value is Variable => typeof value === "object" && "variable" in value;
const isBare = (value: ConfigValue): value is Bare => typeof value === "object" && "bare" in value;
const isInclude = (value: ConfigValue): value is Include => typeof value === "object" && "include" in value;
const isBlock = (value: ConfigValue): value is ConfigBlock =>
  typeof value === "object" && !Array.isArray(value) && !isVariable(value) && !isBare(value);
