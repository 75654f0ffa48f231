/** What a change of streams/ comes to in an environment, without any server: the configurations before against those of now. */
import type { DesiredState, WireConfig } from "./desired.ts";
import { compare, type FieldChange } from "./diff.ts";

export interface DeclaredChange {
  readonly kind: "stream" | "consumer";
  /** `circl_iot`, or `circl_iot/bff-iot` for a consumer. */
  readonly name: string;
  /** forgotten: no longer declared. It stays on servers until an apply is told to delete it by name. */
  readonly change: "declared" | "changed" | "forgotten";
  readonly fields: readonly FieldChange[];
}

/** Every asset that is new, gone or different, streams before their consumers, by name. */
export function diffDeclared(before: DesiredState, after: DesiredState): DeclaredChange[] {
  const was = assetsOf(before);
  const is = assetsOf(after);
  return [...new Set([...was.keys(), ...is.keys()])].sort().flatMap((name): DeclaredChange[] => {
    const asset = { kind: name.includes("/") ? "consumer" : "stream", name } as const;
    const [from, to] = [was.get(name), is.get(name)];
    if (!from) return [{ ...asset, change: "declared", fields: [] }];
    if (!to) return [{ ...asset, change: "forgotten", fields: [] }];
    const fields = compare(from, to);
    return fields.length > 0 ? [{ ...asset, change: "changed", fields }] : [];
  });
}

const assetsOf = ({ streams, consumers }: DesiredState): Map<string, WireConfig> =>
  new Map([
    ...streams.map((config) => [String(config.name), config] as const),
    ...consumers.map(({ stream_name, config }) => [`${stream_name}/${config.name}`, config] as const),
  ]);
