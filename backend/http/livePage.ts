import { page } from "./html.ts";
export const livePage = () => page({ title: "Oli Move", style: "", body: "<main>soon</main>" });
