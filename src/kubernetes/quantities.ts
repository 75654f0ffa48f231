/** Numbers of the model in the notations that Kubernetes wants. */
import { k8s } from "cdk8s-plus-28";
import { GiB, KiB, MiB } from "../units.ts";

/** 21474836480 -> "20Gi": the largest binary unit that divides it. */
export function memoryText(bytes: number): string {
  for (const [unit, size] of [
    ["Gi", GiB],
    ["Mi", MiB],
    ["Ki", KiB],
  ] as const) {
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return String(Math.ceil(bytes));
}

export const memory = (bytes: number): k8s.Quantity => k8s.Quantity.fromString(memoryText(bytes));
export const cpu = (amount: string): k8s.Quantity => k8s.Quantity.fromString(amount);
