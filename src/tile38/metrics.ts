/** How Prometheus scrapes the Tile38 servers. */
import { metricsOf, type ServiceMonitorSpec } from "../kubernetes/service-monitor.ts";

/**
 * Commands whose durations are kept. Whatever a client sends becomes a value of the label `cmd`, before it has said who it is
 * (server.go, handleInputCommand), so everything else is dropped.
 */
const COMMANDS = [
  ...["set", "fset", "jset", "del", "pdel", "drop", "rename", "expire", "persist", "flushdb"],
  ...["get", "fget", "jget", "exists", "ttl", "keys", "scan", "search", "nearby", "within", "intersects"],
  ...["sethook", "delhook", "pdelhook", "hooks", "setchan", "delchan", "chans", "subscribe", "psubscribe", "publish"],
  ...["eval", "evalsha", "evalro", "evalrosha"],
  ...["aof", "aofmd5", "aofshrink", "auth", "ping", "healthz", "server", "info", "gc", "follow", "config"],
] as const;

export const tile38ServiceMonitor = (): ServiceMonitorSpec =>
  metricsOf("tile38", {
    // The optional group lets through what has no such label.
    metricRelabelings: [{ sourceLabels: ["cmd"], regex: `(${COMMANDS.join("|")})?`, action: "keep" }],
    // 60 samples of the process, 6 a command, 4 a collection: room for a thousand collections. Counted after relabelling.
    sampleLimit: 5_000,
    // Words that are no commands are in the body and dropped only then: whoever connects can send any number of them.
    bodySizeLimit: "16MiB",
  });
