/** The life that every EVM must live in the same way, from the deployment to the retirement. */
import { bills } from "./sceneBills.ts";
import { flexibility } from "./sceneFlexibility.ts";
import { money } from "./sceneMoney.ts";
import { algorithms, assets } from "./sceneRegisters.ts";
import { roles } from "./sceneRoles.ts";
import { slots } from "./sceneSlots.ts";

export const SCENES = [assets, algorithms, slots, money, bills, flexibility, roles];
