/** What must be true of the NATS servers before the next one may go, and at the end of a deploy. */
import type { Observed } from "../jetstream/observe.ts";
import type { Facts } from "./impact.ts";

/** What `/jsz` of a server says of the meta group; missing on a server that stands alone. */
export interface MetaGroup {
  readonly leader?: string;
  readonly cluster_size?: number;
  /** Only the leader knows them. */
  readonly replicas?: readonly {
    readonly name: string;
    readonly current?: boolean;
    readonly offline?: boolean;
    readonly lag?: number;
  }[];
}

/** @param groups what each server says, by its pod @param servers how many there must be */
export function metaProblems(groups: ReadonlyMap<string, MetaGroup | undefined>, servers: number): string[] {
  if (servers === 1) return [];
  const silent = [...groups].filter(([, group]) => !group).map(([pod]) => `${pod} says nothing of the meta group`);
  const known = [...groups].flatMap(([pod, group]) => (group ? [{ pod, group }] : []));
  const leaders = new Set(known.flatMap(({ group }) => group.leader || []));
  const members = known.find(({ group }) => group.replicas)?.group.replicas ?? [];
  return [
    ...silent,
    ...known.filter(({ group }) => !group.leader).map(({ pod }) => `${pod} knows no leader of the meta group`),
    ...(leaders.size > 1 ? [`the meta group has two leaders: ${[...leaders].join(", ")}`] : []),
    ...known
      .filter(({ group }) => (group.cluster_size ?? 0) !== servers)
      .map(({ pod, group }) => `${pod} counts ${group.cluster_size ?? 0} of ${servers} servers in the meta group`),
    ...(known.length === servers && members.length < servers - 1
      ? [`the leader of the meta group knows ${members.length + 1} of ${servers} servers`]
      : []),
    ...members
      .filter(({ current, offline }) => !current || offline)
      .map(({ name, lag = 0 }) => `${name} is not current in the meta group, ${lag} behind`),
  ];
}

/** Streams that cannot be asked, and replicas that are away or behind. */
export const streamProblems = ({ streams }: Observed): string[] =>
  streams.flatMap((stream) => {
    if (stream.status === "unknown") return [`stream ${stream.name}: ${stream.why}`];
    const { config, cluster } = stream.info;
    const replicas = cluster?.replicas ?? [];
    const wanted = Number(config.num_replicas ?? 1);
    return [
      ...replicas
        .filter(({ current, offline }) => !current || offline)
        .map(
          ({ name, lag = 0, offline }) => `stream ${stream.name}: ${name} is ${offline ? "offline" : `${lag} behind`}`,
        ),
      ...(replicas.length + 1 < wanted ? [`stream ${stream.name}: ${replicas.length + 1} of ${wanted} replicas`] : []),
    ];
  });

/** What live streams ask of the servers. */
export function factsOf({ streams, consumers }: Observed): Facts {
  const configs = streams.flatMap((stream) => (stream.status === "known" ? [stream.info.config] : []));
  const all = [...configs, ...[...consumers.values()].flatMap(({ known }) => known.map(({ config }) => config))];
  const levels = all.map(({ metadata }) =>
    Number((metadata as Record<string, string> | undefined)?.["_nats.req.level"] ?? 0),
  );
  const onFile = configs.filter(({ storage }) => storage !== "memory");
  return {
    assetLevel: Math.max(0, ...levels),
    // Every stream counts as if it lay on one server: with as many replicas as servers it does.
    reservedStore: onFile.reduce((sum, { max_bytes }) => sum + Math.max(0, Number(max_bytes ?? 0)), 0),
  };
}
