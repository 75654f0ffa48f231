/** How Prometheus scrapes the Tile38 servers. */
import { metricsOf, type ServiceMonitorSpec } from "../kubernetes/service-monitor.ts";
import type { Model } from "../model/resolve.ts";

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

export const tile38ServiceMonitor = ({ environment }: Model): ServiceMonitorSpec =>
  metricsOf("tile38", {
    // The optional groups let through what has no such label.
    metricRelabelings: [
      { sourceLabels: ["cmd"], regex: `(${COMMANDS.join("|")})?`, action: "keep" },
      { sourceLabels: ["col"], regex: `(${environment.tile38.collections.join("|")})?`, action: "keep" },
    ],
    // 60 samples of the process, 6 a command, 4 a collection, counted after relabelling; twice that for another version's.
    sampleLimit: 2 * (60 + 6 * COMMANDS.length + 4 * environment.tile38.collections.length),
    // Words that are no commands, and collections that nobody declared, are in the body and dropped only then.
    bodySizeLimit: "16MiB",
  });
