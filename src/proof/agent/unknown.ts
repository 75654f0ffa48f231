/** What a kubelet would do for a pod and this agent does not: refused, so that nothing is left out in silence. */
import type { Container, Pod, Probe } from "./objects.ts";

/** @throws Error that names all of it; the pod waits, and its status says so */
export function refuseUnknown({ spec }: Pod): void {
  const { initContainers = [], containers, volumes = [], hostNetwork, hostPID, hostIPC } = spec;
  const unknown = [
    ...(hostNetwork || hostPID || hostIPC ? ["namespaces of the node"] : []),
    ...initContainers.flatMap(({ name, restartPolicy }) => (restartPolicy ? [`${name} as a sidecar`] : [])),
    ...[...initContainers, ...containers].flatMap((one) => unknownIn(one).map((what) => `${what} of ${one.name}`)),
    ...volumes.flatMap(({ name, configMap, secret, emptyDir, persistentVolumeClaim }) => {
      const source = configMap ?? secret;
      const plain = source && !source.items && !source.optional;
      return plain || emptyDir || persistentVolumeClaim ? [] : [`the volume ${name}`];
    }),
  ];
  if (unknown.length > 0) throw new Error(`the node agent does not know: ${unknown.join(", ")}`);
}

function unknownIn({ lifecycle, workingDir, env = [], envFrom, volumeMounts = [], ...probes }: Container) {
  const odd = (probe: Probe | undefined): boolean =>
    probe !== undefined && !probe.exec && (!probe.httpGet || probe.httpGet.scheme === "HTTPS");
  return [
    ...(odd(probes.startupProbe) || odd(probes.readinessProbe) || odd(probes.livenessProbe) ? ["a probe"] : []),
    ...(lifecycle?.postStart || (lifecycle?.preStop && !lifecycle.preStop.exec) ? ["a hook"] : []),
    ...(workingDir ? ["the working folder"] : []),
    ...(envFrom || env.some(({ valueFrom }) => valueFrom?.configMapKeyRef ?? valueFrom?.resourceFieldRef)
      ? ["a source of variables"]
      : []),
    ...(volumeMounts.some(({ subPath, subPathExpr }) => subPath ?? subPathExpr) ? ["a part of a volume"] : []),
  ];
}
