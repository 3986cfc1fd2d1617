namespace ControlPlane.Host.Engine.Journal;

/// <summary>
/// Where a row stands in the order in which the journal is read. On SQLite that is the order of <see cref="Ordering"/>
/// alone, as one writer gives it out; PostgreSQL gives it out before the commit, so there the transaction's number comes first.
/// </summary>
readonly record struct JournalPlace(ulong Tx, long Ordering) : IComparable<JournalPlace>
{
    public static bool operator <(JournalPlace left, JournalPlace right) => left.CompareTo(right) < 0;

    public static bool operator >(JournalPlace left, JournalPlace right) => left.CompareTo(right) > 0;

    public static bool operator <=(JournalPlace left, JournalPlace right) => left.CompareTo(right) <= 0;

    public static bool operator >=(JournalPlace left, JournalPlace right) => left.CompareTo(right) >= 0;

    public int CompareTo(JournalPlace other) => Tx.CompareTo(other.Tx) is not 0 and var order ? order : Ordering.CompareTo(other.Ordering);
}
