/** Whether something is on the screen or close to it. One observer for all that ask: there may be a thousand. */
import { type RefObject, useEffect, useState } from "react";

const told = new WeakMap<Element, (isIn: boolean) => void>();
const observer = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) told.get(target)?.(isIntersecting);
  },
  { rootMargin: "400px" },
);

export function useInView(place: RefObject<Element | null>): boolean {
  const [isIn, tell] = useState(false);
  useEffect(() => {
    const watched = place.current;
    if (!watched) return;
    told.set(watched, tell);
    observer.observe(watched);
    return () => observer.unobserve(watched);
  }, [place]);
  return isIn;
}
