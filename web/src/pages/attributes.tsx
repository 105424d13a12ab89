import { Said } from "./parts";

/** Names and values as they were sent. */
export function Attributes({ of, title }: { of: Record<string, unknown>; title?: string }) {
  const pairs = Object.entries(of).filter(([, value]) => value !== null && value !== "");
  if (!pairs.length) return null;
  return (
    <>
      {title && <h4>{title}</h4>}
      <dl className="attributes">
        {pairs.map(([name, value]) => (
          <div key={name}>
            <dt><Said text={name} /></dt>
            <dd><Said text={typeof value === "string" ? value : JSON.stringify(value)} /></dd>
          </div>
        ))}
      </dl>
    </>
  );
}
