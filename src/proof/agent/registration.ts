/** What a node says of itself: that it is there, where, and that it lives. */

/** Label of nodes and disks. */
export const ZONE = "topology.kubernetes.io/zone";

/** How often a node says that it lives, in ms. The controller manager takes one for dead that was silent for 50 s. */
export const HEARTBEAT = 10_000;

export const LEASE_NAMESPACE = "kube-node-lease";

/** A node that takes pods. @param address of its kubelet, where it has one */
export function nodeObject(name: string, zone: string, address?: string) {
  const resources = { cpu: "8", memory: "64Gi", "ephemeral-storage": "100Gi", pods: "110" };
  const now = new Date().toISOString();
  const ready = {
    type: "Ready",
    status: "True",
    reason: "KubeletReady",
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", [ZONE]: zone } },
    status: {
      capacity: resources,
      allocatable: resources,
      conditions: [ready],
      ...(address ? { addresses: [{ type: "InternalIP", address }] } : {}),
    },
  };
}

/** Says that a node lives now. */
export const leaseOf = (name: string) => ({
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name, namespace: LEASE_NAMESPACE },
  spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime: new Date().toISOString().replace("Z", "000Z") },
});
