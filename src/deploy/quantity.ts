/** Quantities as Kubernetes writes them. */

const FACTORS: Readonly<Record<string, number>> = {
  "": 1,
  ...{ k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50 },
};

/** Bytes of "50Gi". @throws Error for what is no amount of bytes */
export function quantityOf(text: string): number {
  const [, figure, unit = ""] = /^(\d+(?:\.\d+)?)([kMGTP]|[KMGTP]i)?$/.exec(text) ?? [];
  const factor = FACTORS[unit];
  if (figure === undefined || factor === undefined) throw new Error(`"${text}" is no amount of bytes`);
  return Number(figure) * factor;
}
