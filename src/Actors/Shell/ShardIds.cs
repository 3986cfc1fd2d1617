using System.Globalization;
using Akka.Cluster.Sharding;
using Akka.Util;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Shell;

/// <summary>
/// Which shard an entity is on. Fixed for ever and computed from the entity id alone: a node with another rule would
/// start a second incarnation. What belongs to one host, or to one VM, is on one shard and so on one node.
/// </summary>
public static class ShardIds
{
    public const string HostRegion = "host";
    public const string VmRegion = "vm";

    public const int Count = 64;

    public static string Of(EntityId id) =>
        (Math.Abs((long)MurmurHash.StringHash(id.ShardKey)) % Count).ToString(CultureInfo.InvariantCulture);
}

/// <summary>Reads the addressee of what may be sent to a region: envelopes, answers and wake-ups.</summary>
public sealed class EntityMessageExtractor : IMessageExtractor
{
    public string? EntityId(object message) => message switch
    {
        Envelope envelope => envelope.To.Text,
        Answer { To: { } to } => to.Text,
        Wake wake => wake.To.Text,
        _ => null,
    };

    public object EntityMessage(object message) => message;

    public string? ShardId(object message) => EntityId(message) is { } id ? ShardId(id) : null;

    public string ShardId(string entityId, object? messageHint = null) =>
        ShardIds.Of(Messages.EntityId.Parse(entityId) ?? throw new ArgumentException($"{entityId} is no entity id"));
}
