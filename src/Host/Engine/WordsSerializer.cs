using System.Text;
using Akka.Actor;
using Akka.Serialization;
using ControlPlane.Actors;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Shell;
using ControlPlane.Messages;
using Envelope = ControlPlane.Messages.Envelope;

namespace ControlPlane.Host.Engine;

/// <summary>
/// Our only serializer. The manifest is a stored name, never a type name: of the event for a row, of the state (after
/// <c>snapshot/</c>) for a snapshot, of the word for what is sent between nodes.
/// </summary>
sealed class WordsSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    const string Snapshot = "snapshot/";
    const string EnvelopeName = "Envelope.1";
    const string AnswerName = "Answer.1";
    const string WakeName = "Wake.1";

    /// <summary>The types that are bound to this serializer.</summary>
    public static readonly Type[] Bound =
        [typeof(StoredEvent), typeof(CoreSnapshot), typeof(UnreadableSnapshot), typeof(Envelope), typeof(Answer), typeof(Wake), typeof(NodeWord)];

    public override int Identifier => Numbers.WordsSerializerId;

    public override string Manifest(object o) => o switch
    {
        StoredEvent row => row.Name,
        CoreSnapshot snapshot => Snapshot + StateNames.Of(snapshot.Entity),
        Envelope => EnvelopeName,
        Answer => AnswerName,
        Wake => WakeName,
        NodeWord => StoredNames.Of(o),
        _ => throw NoName(o),
    };

    public override byte[] ToBinary(object obj) => obj switch
    {
        StoredEvent row => StoredJson.Write(row),
        CoreSnapshot snapshot => SnapshotJson.Write(snapshot),
        Envelope or Answer or NodeWord => StoredNames.Encode(obj),
        Wake wake => Encoding.UTF8.GetBytes(wake.To.Text),
        _ => throw NoName(obj),
    };

    public override object FromBinary(byte[] bytes, string manifest) => manifest switch
    {
        EnvelopeName or AnswerName => StoredNames.Decode(manifest, bytes),
        WakeName => new Wake(EntityId.Parse(Encoding.UTF8.GetString(bytes)) ?? throw new FormatException("a wake-up for no entity")),
        _ when manifest.StartsWith(Snapshot, StringComparison.Ordinal) => ReadSnapshot(manifest[Snapshot.Length..], bytes),
        _ when StoredNames.TypeOf(manifest)?.IsSubclassOf(typeof(NodeWord)) == true => StoredNames.Decode(manifest, bytes),
        _ => StoredJson.Read(manifest, bytes),
    };

    static object ReadSnapshot(string name, byte[] bytes)
    {
        try
        {
            return SnapshotJson.Read(name, bytes);
        }
#pragma warning disable CA1031 // Whatever is wrong with a snapshot, the events tell the same.
        catch (Exception damage)
#pragma warning restore CA1031
        {
            return new UnreadableSnapshot(name, damage.Message);
        }
    }

    static InvalidOperationException NoName(object word) => new($"{word.GetType().Name} has no stored name");
}
