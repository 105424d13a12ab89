import { Link, Said } from "./parts";

interface Props {
  of: Record<string, unknown>;
  title?: string;
  /** Whether a value leads to the log records that have it too. */
  sought?: boolean;
}

/** Names and values as they were sent. */
export function Attributes({ of, title, sought = false }: Props) {
  const pairs = Object.entries(of).filter(([, value]) => value !== null && value !== "");
  if (!pairs.length) return null;
  return (
    <>
      {title && <h4>{title}</h4>}
      <dl className="attributes">
        {pairs.map(([name, value]) => (
          <div key={name}>
            <dt><Said text={name} /></dt>
            <dd>{sought && typeof value === "string" ? <Alike name={name} value={value} /> : <Said text={typeof value === "string" ? value : JSON.stringify(value)} />}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

const LONGEST = 200; // beyond, it is a text and not a name

function Alike({ name, value }: { name: string; value: string }) {
  if (value.length > LONGEST) return <Said text={value} />;
  const query = new URLSearchParams({ [`attr.${name}`]: value });
  return <Link to={`/explore?${query.toString()}`} sameTime title="Records with the same"><Said text={value} /></Link>;
}
