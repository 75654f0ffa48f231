/** Keys and passwords: always random, never chosen by a person. */
import { randomInt } from "node:crypto";
import bcrypt from "bcryptjs";
import { createUser, fromPublic, fromSeed } from "nkeys.js";

/**
 * bcrypt's least cost. It slows down guessing, and 43 random characters (256 bits) are not guessed at any speed; but the
 * servers pay it at every login, and after a restart all clients log in at once: a thousand at the usual cost of 11 keep a
 * core busy for minutes.
 */
const COST = 4;

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** 43 letters and digits, 256 bits: fits every configuration file and URL as it is, and bcrypt's 72 bytes. */
export const createPassword = (): string =>
  Array.from({ length: 43 }, () => LETTERS.charAt(randomInt(LETTERS.length))).join("");

/** An NKey of a user: the server knows `publicKey`, the client alone has `seed`. */
export function createNkey(): { readonly publicKey: string; readonly seed: string } {
  const pair = createUser();
  try {
    return { publicKey: pair.getPublicKey(), seed: Buffer.from(pair.getSeed()).toString() };
  } finally {
    pair.clear();
  }
}

/** The public key that belongs to a seed. @throws Error for text that is no seed of a user */
export function publicKeyOf(seed: string): string {
  const pair = fromSeed(Buffer.from(seed));
  try {
    return pair.getPublicKey();
  } finally {
    pair.clear();
  }
}

/** Whether the checksum holds that every NKey ends with. */
export const isPublicKey = (text: string): boolean => opens(() => fromPublic(text));
export const isSeed = (text: string): boolean => opens(() => fromSeed(Buffer.from(text)));

function opens(open: () => { clear(): void }): boolean {
  try {
    open().clear();
    return true;
  } catch {
    return false;
  }
}

/** The form in which the server keeps a password. */
export const hashPassword = (password: string): string => bcrypt.hashSync(password, COST);

export const isPasswordOf = (password: string, hash: string): boolean =>
  hash !== "" && bcrypt.compareSync(password, hash);
