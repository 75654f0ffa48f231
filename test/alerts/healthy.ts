/**
 * The series of a healthy backbone as Prometheus has them after relabelling, with labels and values like those of the real
 * servers (metrics.test.ts holds the rules to a scrape of those). `"5"` stays 5, `"0+30"` grows by 30 each half minute.
 */
import type { Model } from "../../src/model/resolve.ts";

export type Series = Readonly<Record<string, string>>;

const labelled = (name: string, labels: Readonly<Record<string, string>>): string =>
  `${name}{${Object.entries(labels)
    .map(([key, value]) => `${key}="${value}"`)
    .join(",")}}`;

const series = (values: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>>): Series =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [labelled(name, labels), value]));

/** Everything that the rules of `model` read. */
export const healthySeries = (model: Model): Series => ({
  ...natsSeries(model),
  ...tile38Series(model),
  ...clusterSeries(model),
});

function natsSeries({ environment, streams }: Model): Series {
  const names = Array.from({ length: environment.nats.servers }, (_, i) => `nats-${i}`);
  const server = (pod: string) => `circl-${environment.name}-${pod}`;
  const [lead = ""] = names;
  return Object.assign(
    {},
    ...names.map((pod) => {
      const target = { job: "nats", namespace: environment.kubernetes.namespace, pod, instance: pod };
      const at = { ...target, server_id: server(pod) };
      const known = { ...at, cluster: `circl-${environment.name}`, server_name: server(pod) };
      const leads = String(pod === lead);
      return {
        ...series({ up: "1" }, target),
        ...series({ nats_server_jetstream_disabled: "0" }, { ...known, meta_leader: server("nats-1") }),
        ...series(
          {
            nats_varz_start: "1700000000000",
            nats_varz_config_load_time: "0",
            nats_varz_remotes: String(names.length - 1),
            nats_varz_jetstream_meta_cluster_size: String(names.length),
            nats_varz_mem: "1000000000",
            nats_varz_jetstream_stats_storage: "2000000000",
            nats_varz_jetstream_stats_reserved_storage: "5000000000",
            nats_varz_jetstream_config_max_storage: "40000000000",
            nats_varz_connections: "300",
            nats_varz_max_connections: String(environment.nats.maxConnections),
            nats_varz_slow_consumers: "1",
            nats_varz_jetstream_stats_api_errors: "0+1",
          },
          at,
        ),
        ...Object.assign(
          {},
          ...streams
            .filter((stream) => names.indexOf(pod) < stream.replicas)
            .map(({ name, sources, mirror, consumers, ...stream }) => {
              const account = { ...known, account_name: "CIRCL", stream_name: name };
              const led = { is_stream_leader: leads, stream_leader: server(lead) };
              const moves = stream.publishers.some((publisher) => publisher.rate) || sources.length > 0 || mirror;
              return {
                ...series(
                  {
                    nats_stream_total_messages: "20",
                    nats_stream_total_bytes: "20000",
                    nats_stream_limit_bytes: String(stream.maxBytes),
                    nats_stream_limit_messages: String(stream.maxMsgs),
                  },
                  { ...account, ...led },
                ),
                ...series({ nats_stream_last_seq: moves ? "0+3000" : "20" }, account),
                ...Object.assign(
                  {},
                  ...(pod === lead ? sources : []).map((source) =>
                    series(
                      { nats_stream_source_lag: "10", nats_stream_source_active_duration_ns: "500000000" },
                      { ...account, ...led, source_name: source.name },
                    ),
                  ),
                  ...(pod === lead && mirror ? [mirror] : []).map((origin) =>
                    series(
                      { nats_stream_mirror_lag: "10", nats_stream_mirror_active_duration_ns: "500000000" },
                      { ...account, ...led, mirror_name: origin.name },
                    ),
                  ),
                  ...consumers.map((consumer) => ({
                    ...series(
                      { nats_consumer_delivered_consumer_seq: "0+3000" },
                      { ...account, consumer_name: consumer.name },
                    ),
                    ...series(
                      {
                        nats_consumer_num_pending: "5",
                        nats_consumer_num_redelivered: "1",
                        nats_consumer_num_ack_pending: "3",
                      },
                      {
                        ...account,
                        consumer_name: consumer.name,
                        is_consumer_leader: leads,
                        consumer_leader: server(lead),
                      },
                    ),
                  })),
                ),
              };
            }),
        ),
      };
    }),
  );
}

function tile38Series({ environment }: Model): Series {
  const { followers } = environment.tile38;
  const pods = ["tile38-leader-0", ...Array.from({ length: followers.count }, (_, i) => `tile38-follower-${i}`)];
  return Object.assign(
    {},
    ...pods.map((pod) => {
      const at = { job: "tile38", namespace: environment.kubernetes.namespace, pod, instance: pod };
      const following = "tile38.circl-backbone.svc.cluster.local:9851";
      const role =
        pod === "tile38-leader-0"
          ? { role: "leader", following: "", caught_up: "", caught_up_once: "" }
          : { role: "follower", following, caught_up: "true", caught_up_once: "true" };
      return {
        ...series(
          {
            up: "1",
            tile38_start_time_seconds: "1700000000",
            tile38_collections: "2",
            tile38_hooks: "4",
            tile38_heap_size_bytes: "300000000",
            tile38_aof_size_bytes: "900000000",
          },
          at,
        ),
        ...series({ tile38_replication_info: "1" }, { ...at, ...role }),
        ...series({ tile38_collection_objects: "50000" }, { ...at, col: "fleet" }),
        ...series({ tile38_collection_objects: "200" }, { ...at, col: "zones" }),
        ...series({ tile38_cmd_duration_seconds: "0.002" }, { ...at, cmd: "set", quantile: "0.99" }),
      };
    }),
  );
}

/** What kubelet, cert-manager, External Secrets and kube-state-metrics say. */
function clusterSeries({ environment }: Model): Series {
  const { namespace } = environment.kubernetes;
  const claims = [
    ...Array.from({ length: environment.nats.servers }, (_, i) => `data-nats-${i}`),
    "data-tile38-leader-0",
  ];
  const certificates = ["nats-ca", "nats-server-tls", "nats-route-ca", "nats-route-tls"];
  const secrets = [
    ["externalsecret_status_condition", namespace, "nats-auth"],
    ["externalsecret_status_condition", namespace, "tile38-leader-config"],
    ["externalsecret_status_condition", "circl", "circl-backbone-oms"],
    ["pushsecret_status_condition", namespace, "nats-ca"],
  ] as const;
  return Object.assign(
    {},
    ...claims.map((persistentvolumeclaim) =>
      series(
        { kubelet_volume_stats_available_bytes: "30000000000", kubelet_volume_stats_capacity_bytes: "50000000000" },
        { namespace, persistentvolumeclaim },
      ),
    ),
    ...certificates.map((name) =>
      series(
        { certmanager_certificate_expiration_timestamp_seconds: String((name.endsWith("-ca") ? 3_600 : 60) * 86_400) },
        { namespace: "cert-manager", exported_namespace: namespace, name },
      ),
    ),
    ...secrets.flatMap(([metric, exported_namespace, name]) =>
      ["True", "False"].map((status, i) =>
        series(
          { [metric]: i ? "0" : "1" },
          { namespace: "external-secrets", exported_namespace, name, condition: "Ready", status },
        ),
      ),
    ),
    ...["nats-auth", "nats-server-tls", "nats-route-tls"].map((secret) =>
      series({ kube_secret_metadata_resource_version: "4711" }, { namespace, secret }),
    ),
    ...Array.from({ length: environment.nats.servers }, (_, i) =>
      ["true", "false", "unknown"].map((condition) =>
        series({ kube_pod_status_ready: condition === "true" ? "1" : "0" }, { namespace, pod: `nats-${i}`, condition }),
      ),
    ).flat(),
    series({ kube_cronjob_status_last_successful_time: "0" }, { namespace, cronjob: "tile38-aof-shrink" }),
  );
}
