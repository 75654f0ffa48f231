/** What an effect of a change is, and how one is said. */
export interface Effect {
  readonly kind: "loses" | "irreversible" | "breaks" | "says";
  readonly says: string;
  /** Messages that go; an estimate where `about`. */
  readonly messages?: number;
  readonly about?: boolean;
}

/** Bounds of limits: 0 and below are none. */
export const unlimited = (value: unknown): number => (Number(value) > 0 ? Number(value) : Number.POSITIVE_INFINITY);
export const loses = (messages: number, says: string, about = false): Effect[] =>
  messages > 0 ? [{ kind: "loses", messages: Math.round(messages), says, about }] : [];
export const says = (text: string): Effect[] => [{ kind: "says", says: text }];
export const breaks = (text: string): Effect[] => [{ kind: "breaks", says: text }];
