/** Fields of a pod that its containers may be told: `metadata.name`, `metadata.labels['app']`. */
import type { Pod } from "./objects.ts";

/** @throws Error for a path that the API would refuse */
export function fieldOf({ metadata, spec }: Pod, path: string, address: string): string {
  const [, map, key = ""] = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path) ?? [];
  if (map === "labels" || map === "annotations") return metadata[map]?.[key] ?? "";
  switch (path) {
    case "metadata.name":
      return metadata.name;
    case "metadata.namespace":
      return metadata.namespace;
    case "metadata.uid":
      return metadata.uid;
    case "metadata.labels":
    case "metadata.annotations":
      return Object.entries(metadata[path === "metadata.labels" ? "labels" : "annotations"] ?? {})
        .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
        .join("\n");
    case "spec.nodeName":
      return spec.nodeName ?? "";
    case "spec.serviceAccountName":
      return spec.serviceAccountName ?? "default";
    case "status.podIP":
      return address;
    default:
      throw new Error(`the field ${path} is not known to the node agent`);
  }
}
