import { placeOf } from "../driver/evse.ts";
import { qrOf } from "./qr.ts";

/** One charge point's code over its name; the code holds the address of the charge point's page. */
export default function Code({ evseId }: { readonly evseId: string }) {
  const address = `${location.origin}${placeOf(evseId)}`;
  const { path, size } = qrOf(address);
  return (
    <li className="code">
      <svg viewBox={`0 0 ${size} ${size}`} role="img" aria-label={address} shapeRendering="crispEdges">
        <rect width={size} height={size} fill="#fff" />
        <path d={path} fill="#000" />
      </svg>
      <strong>{evseId}</strong>
    </li>
  );
}
