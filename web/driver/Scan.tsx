/** Reads the code of a charge point with the camera. */
import { BarcodeDetector, setZXingModuleOverrides } from "barcode-detector/ponyfill";
import { useEffect, useRef, useState } from "react";
import wasm from "zxing-wasm/reader/zxing_reader.wasm?url";
import { useTexts } from "../texts/index.tsx";

// Ours, not a copy from elsewhere: the policy lets nothing else in.
setZXingModuleOverrides({ locateFile: () => wasm });

export default function Scan({ found, close }: { readonly found: (text: string) => void; readonly close: () => void }) {
  const { t } = useTexts();
  const video = useRef<HTMLVideoElement>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    let stream: MediaStream | null = null;
    let ended = false;
    const look = async () => {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      const screen = video.current;
      if (!screen || ended) return;
      screen.srcObject = stream;
      await screen.play();
      while (!ended) {
        const [code] = await detector.detect(screen);
        if (code) return found(code.rawValue);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    };
    look().catch(() => setFailed(true));
    return () => {
      ended = true;
      for (const track of stream?.getTracks() ?? []) track.stop();
    };
  }, [found]);
  return (
    <div className="stack" role="status">
      {failed ? (
        <p className="notice warn">{t.charge.scanFailed}</p>
      ) : (
        <>
          <p>{t.charge.scanning}</p>
          <video ref={video} muted playsInline className="camera" />
        </>
      )}
      <button type="button" onClick={close}>
        {t.state.close}
      </button>
    </div>
  );
}
