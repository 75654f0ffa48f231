/** `oms-2`: while a password changes two user names are valid, because the server refuses one name with two passwords. */
export const secondName = (identity: string): string => `${identity}-2`;
